//! From the labels of an alert to the streams that may tell why: the narrowest selector that has lines is taken.

use std::fmt::Write;

/// What a stream may be known by: the labels of alerts, each with the names under which collectors keep it.
const NAMES: [(&[&str], &[&str]); 5] = [
    (&["exported_namespace", "namespace"], &["namespace", "k8s_namespace_name"]),
    (&["exported_pod", "pod"], &["pod", "k8s_pod_name"]),
    (&["container"], &["container", "k8s_container_name"]),
    (&["app", "deployment", "statefulset", "daemonset", "service"], &["app", "service_name"]),
    (&["node", "nodename"], &["node", "k8s_node_name"]),
];

/// Selectors for an alert, the narrowest first; only labels that this Loki has are named.
pub fn selectors<'l>(label: impl Fn(&str) -> Option<&'l str>, known: &[String]) -> Vec<String> {
    let pick = |(ours, theirs): (&[&str], &[&'static str])| {
        let value = ours.iter().find_map(|name| label(name))?;
        let name = theirs.iter().find(|name| known.iter().any(|known| known == *name))?;
        Some((*name, value))
    };
    let [namespace, pod, container, app, node] = NAMES.map(pick);
    let tries = [
        vec![namespace, pod, container],
        vec![namespace, pod],
        vec![namespace, container],
        vec![namespace, app],
        vec![namespace],
        vec![node],
    ];
    let mut found: Vec<String> = Vec::new();
    for parts in tries {
        // A selector that lacks what makes it narrow is the next one.
        let whole: Option<Vec<_>> = parts.into_iter().collect();
        let Some(parts) = whole else { continue };
        let selector = selector(&parts);
        if !found.contains(&selector) {
            found.push(selector);
        }
    }
    found
}

/// `{a="x",b="y"}`.
pub fn selector(parts: &[(&str, &str)]) -> String {
    let mut text = String::from("{");
    for (index, (name, value)) in parts.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(text, "{comma}{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    }
    text + "}"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_comes_first_and_only_known_labels_are_named() {
        let alert = [
            ("exported_namespace", "media"),
            ("namespace", "monitoring"),
            ("pod", "lidarr-0"),
            ("container", "lidarr"),
        ];
        let label = |name: &str| alert.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let known = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            selectors(label, &known(&["namespace", "pod", "container"])),
            [
                r#"{namespace="media",pod="lidarr-0",container="lidarr"}"#,
                r#"{namespace="media",pod="lidarr-0"}"#,
                r#"{namespace="media",container="lidarr"}"#,
                r#"{namespace="media"}"#,
            ]
        );
        assert_eq!(selectors(label, &known(&["k8s_namespace_name"])), [r#"{k8s_namespace_name="media"}"#]);
        assert!(selectors(label, &known(&["job"])).is_empty());
        assert_eq!(selector(&[("a", "x\"y")]), r#"{a="x\"y"}"#);
    }
}
