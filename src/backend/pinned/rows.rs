//! Pinned services as rows: where they are, where they must be, and from where others see them.

use std::net::IpAddr;
use std::sync::Arc;

use crate::config::Pinned;
use crate::model::id::{EntityId, Identity};
use crate::model::kind::{Column, Format, KindSpec, Width};
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row, Tone, Value};

use super::look::{Measured, Pod, Sight};

/// The kind.
pub const PINNED: &str = "vigie.pinned";

/// What the browser is told of it.
pub fn kind() -> KindSpec {
    let columns = vec![
        Column::new(
            "state",
            "state",
            Width::Fit(5, 8),
            "ok, moved, egress, down, or ? where it cannot be seen",
        )
        .format(Format::State)
        .priority(0),
        Column::new("name", "service", Width::Flex(2), "its name").priority(0),
        Column::new("node", "node", Width::Fit(4, 20), "the node that it runs on").priority(1),
        Column::new(
            "egress",
            "egress",
            Width::Fit(3, 39),
            "the address that others see; ? where nothing measures it",
        )
        .priority(0),
        Column::new("uptime", "up 30d", Width::Fit(4, 6), "the part of 30 days that it was up")
            .format(Format::Percent)
            .priority(1),
        Column::new("age", "age", Width::Fit(3, 5), "since its pod was started")
            .format(Format::Age)
            .priority(1),
        Column::new("restarts", "restarts", Width::Fit(2, 8), "restarts of its containers")
            .format(Format::Count)
            .priority(3),
        Column::new("pin", "pin", Width::Fit(3, 6), "bound to its node by its own specification, or loose")
            .priority(2),
        Column::new("wants", "wants", Width::Flex(1), "the node and the address that it must have")
            .priority(4),
        Column::new(
            "guard",
            "guard",
            Width::Fit(4, 6),
            "block or warn: what becomes of an operation that would move it",
        )
        .wide(),
    ];
    KindSpec {
        id: PINNED.into(),
        singular: "pinned service".into(),
        aliases: vec!["pin".into()],
        doc: "Services that must stay on their node and keep the address that others see.".into(),
        columns,
        sort: (0, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

/// The row of a service.
pub fn row(config: &Pinned, sight: &Sight, instance: &Arc<str>, domain: Domain) -> Row {
    let pod = sight.pods.iter().find(|pod| pod.is_ready()).or(sight.pods.first());
    let (word, health, note) = state(config, sight, pod);
    let node = pod.map_or("", |pod| pod.spec.node_name.as_str());
    let bound = pod.is_some_and(Pod::is_bound);
    let wants = [config.node.clone(), config.egress.map(|ip| ip.to_string())];
    let wants: Vec<String> = wants.into_iter().flatten().collect();
    let low = sight.uptime.known().is_some_and(|part| *part < config.target);
    let cells = vec![
        Cell::toned(word, Tone::from(health)),
        Cell::new(Value::text(&*config.name)),
        Cell::new(Value::text(node)),
        match &sight.egress {
            Measured::Is(ip) => Cell::toned(
                Value::text(ip.to_string()),
                if wrong(config, *ip) { Tone::Error } else { Tone::Text },
            ),
            Measured::Not | Measured::Unknown(_) => Cell::toned("?", Tone::Unknown),
        },
        Cell::toned(sight.uptime.known().copied(), if low { Tone::Warn } else { Tone::Text }),
        Cell::new(pod.and_then(|pod| pod.status.start_time.time())),
        Cell::new(pod.map(Pod::restarts)),
        if bound { Cell::toned("bound", Tone::Dim) } else { Cell::toned("loose", Tone::Warn) },
        Cell::new(Value::text(wants.join(" "))),
        Cell::toned(if config.block { "block" } else { "warn" }, Tone::Dim),
    ];
    let mut row = Row::new(EntityId::new(PINNED, instance.clone(), &*config.name), &*config.name, cells);
    row.health = health;
    row.note = note.map(Arc::from);
    row.domain = domain;
    row.identity = Identity::new().with("service", &*config.name);
    row.facets = facets(config, sight);
    row
}

/// Where its pods are now; what stands there may not be taken away.
fn facets(config: &Pinned, sight: &Sight) -> Box<[Facet]> {
    let cluster = &config.kubernetes;
    let mut facets = vec![Facet::new(FacetKey::Name, &*config.name, Grade::Hint)];
    for pod in &sight.pods {
        let object = format!("{cluster}/{}/{}", config.namespace, &*pod.metadata.name);
        facets.push(Facet::new(FacetKey::Object, object, Grade::Certain));
        facets.extend(
            pod.spec
                .node_name
                .some()
                .map(|node| Facet::new(FacetKey::Node, format!("{cluster}/{node}"), Grade::Certain)),
        );
    }
    facets.into_boxed_slice()
}

fn wrong(config: &Pinned, seen: IpAddr) -> bool {
    config.egress.is_some_and(|wanted| wanted != seen)
}

fn state(config: &Pinned, sight: &Sight, pod: Option<&Pod>) -> (&'static str, Health, Option<String>) {
    let Some(pod) = pod else { return ("down", Health::Critical, Some("it has no pod".to_owned())) };
    let node = pod.spec.node_name.as_str();
    let away = config.node.as_deref().filter(|wanted| *wanted != node && !node.is_empty());
    if let Some(ip) = sight.egress.known().filter(|ip| wrong(config, **ip)) {
        let wanted = config.egress.map_or_else(String::new, |ip| ip.to_string());
        let moved = away.map_or_else(String::new, |wanted| format!(": on {node}, not on {wanted}"));
        return ("egress", Health::Critical, Some(format!("egress is {ip}, not {wanted}{moved}")));
    }
    if let Some(wanted) = away {
        return (
            "moved",
            Health::Critical,
            Some(format!("on {node}, not on {wanted}: its address may be another")),
        );
    }
    if !pod.is_ready() {
        return ("down", Health::Critical, Some(format!("its pod is {}", &*pod.status.phase)));
    }
    if let Measured::Unknown(why) = &sight.egress {
        return ("?", Health::Unknown, Some(format!("egress ?: {why}")));
    }
    if let Some(part) = sight.uptime.known().filter(|part| **part < config.target) {
        let note = format!("up {:.2} % of 30 days, wants {:.2} %", part * 100.0, config.target * 100.0);
        return ("ok", Health::Warning, Some(note));
    }
    if config.node.is_some() && !pod.is_bound() {
        return (
            "ok",
            Health::Warning,
            Some("nothing binds it to its node: the next start may move it".to_owned()),
        );
    }
    ("ok", Health::Ok, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Pinned {
        Pinned {
            name: "comet".into(),
            kubernetes: "cloud".into(),
            namespace: "media".into(),
            pod: "comet".into(),
            node: Some("oci-node-1".into()),
            egress: "198.51.100.10".parse().ok(),
            egress_url: None,
            egress_query: None,
            uptime_query: None,
            target: 0.99,
            prometheus: None,
            block: true,
        }
    }

    fn pod(node: &str, ready: bool, bound: bool) -> Pod {
        let selector = if bound { r#"{"kubernetes.io/hostname":"oci-node-1"}"# } else { "null" };
        let text = format!(
            r#"{{"metadata":{{"name":"comet-0"}},"spec":{{"nodeName":"{node}","nodeSelector":{selector}}},
                "status":{{"phase":"Running","containerStatuses":[{{"ready":{ready},"restartCount":2}}]}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_is_not_measured_is_a_question_mark_and_never_good_news() {
        let is = |ip: &str| Measured::Is(ip.parse().unwrap());
        let unknown = || Measured::Unknown("tcp: no connection".to_owned());
        let cases = [
            (vec![pod("oci-node-1", true, true)], is("198.51.100.10"), Measured::Is(0.999), "ok", Health::Ok),
            (vec![pod("oci-node-1", true, true)], Measured::Not, Measured::Not, "ok", Health::Ok),
            (vec![pod("oci-node-1", true, true)], unknown(), Measured::Not, "?", Health::Unknown),
            (
                vec![pod("oci-node-2", true, true)],
                is("198.51.100.11"),
                Measured::Not,
                "egress",
                Health::Critical,
            ),
            (vec![pod("oci-node-2", true, true)], Measured::Not, Measured::Not, "moved", Health::Critical),
            (
                vec![pod("oci-node-1", false, true)],
                is("198.51.100.10"),
                Measured::Not,
                "down",
                Health::Critical,
            ),
            (vec![], is("198.51.100.10"), Measured::Not, "down", Health::Critical),
            (vec![pod("oci-node-1", true, false)], is("198.51.100.10"), Measured::Not, "ok", Health::Warning),
            (
                vec![pod("oci-node-1", true, true)],
                is("198.51.100.10"),
                Measured::Is(0.97),
                "ok",
                Health::Warning,
            ),
        ];
        for (pods, egress, uptime, word, health) in cases {
            let row = row(&config(), &Sight { pods, egress, uptime }, &"pinned".into(), Domain::Cloud);
            assert_eq!((row.cells[0].value.as_text(), row.health), (Some(word), health), "{:?}", row.note);
        }
    }

    #[test]
    fn its_node_and_its_pods_can_be_found_by_the_gate() {
        let sight =
            Sight { pods: vec![pod("oci-node-1", true, true)], egress: Measured::Not, uptime: Measured::Not };
        let row = row(&config(), &sight, &"pinned".into(), Domain::Cloud);
        let values: Vec<&str> = row.facets.iter().map(|facet| &*facet.value).collect();
        assert_eq!(values, ["comet", "cloud/media/comet-0", "cloud/oci-node-1"]);
        assert_eq!(row.cells[3].value.as_text(), Some("?"));
    }
}
