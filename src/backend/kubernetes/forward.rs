//! Ways to reach a pod or service from this machine: one command for each of its ports, to be copied.

use serde_json::Value;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::config::Kubernetes;
use crate::model::id::EntityId;
use crate::model::kind::Text;
use crate::model::row::Cell;
use crate::model::view::{Doc, DocLine, View};

use super::client::Cluster;
use super::{catalog, kinds, resource};

/// Ports below this belong to the system; a higher one is taken instead.
const FREE: i64 = 1024;

/// `kubectl` with the kubeconfig, the context and the namespace of a row.
pub fn kubectl(settings: &Kubernetes, namespace: &str) -> Vec<String> {
    let mut argv = vec!["kubectl".to_owned()];
    if let Some(path) = &settings.kubeconfig {
        argv.push(format!("--kubeconfig={}", path.display()));
    }
    argv.extend(settings.context.iter().map(|context| format!("--context={context}")));
    argv.push(format!("--namespace={namespace}"));
    argv
}

/// Sends the list once: a port does not change while somebody looks.
pub async fn open(cluster: &Cluster, id: &EntityId, sink: &ViewSink) -> Result<(), ApiError> {
    let path = catalog::of(&id.kind)?.resource.object(&id.key)?;
    let object: Value = cluster.get(&path).await?.json()?;
    let is_pod = id.kind.as_str() == kinds::PODS;
    let target = format!("{}/{}", if is_pod { "pod" } else { "svc" }, resource::name(id));
    let ports = if is_pod { container_ports(&object) } else { service_ports(&object) };
    let prefix = kubectl(cluster.settings(), resource::namespace(id).unwrap_or_default()).join(" ");
    if sink.send(View::Doc(doc(&prefix, &target, &ports))).await.is_ok() {
        sink.closed().await;
    }
    Ok(())
}

/// A port with its name.
type Port = (i64, String);

fn service_ports(service: &Value) -> Vec<Port> {
    let all = service["spec"]["ports"].as_array().into_iter().flatten();
    all.filter_map(|port| {
        Some((port["port"].as_i64()?, port["name"].as_str().unwrap_or_default().to_owned()))
    })
    .collect()
}

fn container_ports(pod: &Value) -> Vec<Port> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    ports
        .filter_map(|port| {
            Some((port["containerPort"].as_i64()?, port["name"].as_str().unwrap_or_default().to_owned()))
        })
        .collect()
}

fn doc(prefix: &str, target: &str, ports: &[Port]) -> Doc {
    if ports.is_empty() {
        let line = format!("it names no ports; with a known one: {prefix} port-forward {target} LOCAL:PORT");
        return Doc::default().lines("", vec![DocLine::new(line)]);
    }
    let local = |port: i64| if port < FREE { port + 8000 } else { port };
    let row = |(port, name): &Port| {
        let at = local(*port);
        vec![
            Cell::new(*port),
            Cell::new(name.as_str()),
            Cell::new(format!("http://127.0.0.1:{at}/").as_str()),
        ]
    };
    let lines = ports
        .iter()
        .map(|(port, _)| DocLine::new(format!("{prefix} port-forward {target} {}:{port}", local(*port))));
    let columns = ["port", "name", "then at"].map(Text::Borrowed).to_vec();
    Doc::default()
        .table("ports", columns, ports.iter().map(row).collect())
        .lines("commands, for another terminal", lines.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_port_has_a_command_of_its_own() {
        let service =
            json!({"spec": {"ports": [{"port": 80, "name": "http"}, {"port": 9090}, {"name": "odd"}]}});
        let doc = doc("kubectl --namespace=media", "svc/immich", &service_ports(&service));
        let crate::model::view::Body::Lines(lines) = &doc.sections[1].body else { panic!("no lines") };
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "kubectl --namespace=media port-forward svc/immich 8080:80",
                "kubectl --namespace=media port-forward svc/immich 9090:9090"
            ]
        );
    }
}
