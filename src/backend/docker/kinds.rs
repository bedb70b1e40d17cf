//! What the browser is told of containers, images and what happened to them.

use crate::model::kind::{Column, Format, KindSpec, Shape, ViewSpec, Width};
use crate::model::op::{OpSpec, Tier};

/// Containers of a host.
pub const CONTAINERS: &str = "docker.containers";
/// Images of a host.
pub const IMAGES: &str = "docker.images";
/// What the engine did within a day.
pub const EVENTS: &str = "docker.events";

/// Restarts one container and waits until it is healthy.
pub const RESTART: &str = "docker.restart";

/// All kinds.
pub fn all() -> Vec<KindSpec> {
    vec![containers(), images(), events()]
}

fn spec(id: &'static str, singular: &'static str, doc: &'static str, columns: Vec<Column>) -> KindSpec {
    KindSpec {
        id: id.into(),
        singular: singular.into(),
        aliases: Vec::new(),
        doc: doc.into(),
        columns,
        sort: (0, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

fn containers() -> KindSpec {
    let columns = vec![
        Column::new(
            "state",
            "state",
            Width::Fit(7, 10),
            "running, healthy, unhealthy, starting, restarting or exited",
        )
        .format(Format::State)
        .priority(0),
        Column::new("name", "container", Width::Flex(3), "its name").priority(0),
        Column::new("version", "version", Width::Fit(4, 14), "the version of its image").priority(1),
        Column::new("pin", "pin", Width::Fit(3, 9), "pinned, or unpinned where a pull may change it")
            .priority(2),
        Column::new("restarts", "restarts", Width::Fit(2, 8), "how often its policy has restarted it")
            .format(Format::Count)
            .priority(1),
        Column::new("cpu", "cpu", Width::Fit(3, 5), "processors in use, 100% is one")
            .format(Format::Percent)
            .priority(3),
        Column::new("mem", "mem", Width::Fit(3, 6), "memory without page cache")
            .format(Format::Bytes)
            .priority(2),
        Column::new("age", "age", Width::Fit(3, 5), "since its last start").format(Format::Age).priority(1),
        Column::new("service", "service", Width::Fit(4, 24), "its compose service").priority(4),
        Column::new("project", "project", Width::Fit(4, 20), "its compose project").wide(),
        Column::new("image", "image", Width::Flex(2), "the image as it was asked for").priority(5),
        Column::new("digest", "digest", Width::Fixed(12), "the beginning of its image's digest").wide(),
        Column::new("ports", "ports", Width::Flex(1), "ports of the host that lead to it").wide(),
    ];
    let doc = "The containers of a host, with their health, their images and what they take.";
    KindSpec {
        aliases: vec!["container".into(), "ct".into()],
        views: vec![ViewSpec { name: "log".into(), title: "log".into(), shape: Shape::Log }],
        ..spec(CONTAINERS, "container", doc, columns)
    }
}

fn images() -> KindSpec {
    let columns = vec![
        Column::new("state", "state", Width::Fit(4, 8), "used, unused, or untagged where its tag moved on")
            .format(Format::State)
            .priority(0),
        Column::new("name", "image", Width::Flex(3), "its name and tag").priority(0),
        Column::new("version", "version", Width::Fit(4, 14), "the version that it carries").priority(1),
        Column::new("used", "used by", Width::Flex(2), "the containers made of it").priority(2),
        Column::new("size", "size", Width::Fit(3, 6), "its size").format(Format::Bytes).priority(2),
        Column::new("age", "age", Width::Fit(3, 5), "since it was built").format(Format::Age).priority(1),
        Column::new("digest", "digest", Width::Fit(12, 71), "its digest at the registry").wide(),
    ];
    spec(IMAGES, "image", "The images of a host, and which containers are made of them.", columns)
}

fn events() -> KindSpec {
    let columns = vec![
        Column::new("action", "action", Width::Fit(5, 24), "what happened: start, die, oom, pull, health")
            .format(Format::State)
            .priority(0),
        Column::new("name", "on", Width::Flex(2), "the container or the image").priority(0),
        Column::new("at", "at", Width::Fit(3, 5), "when").format(Format::Age).priority(0),
        Column::new("image", "image", Width::Flex(2), "the container's image").priority(2),
        Column::new("exit", "exit", Width::Fit(1, 4), "the exit code").format(Format::Count).priority(2),
    ];
    KindSpec {
        sort: (2, true),
        ..spec(EVENTS, "event", "What the engine did within a day, as far as it remembers.", columns)
    }
}

/// All operations.
pub fn operations() -> Vec<OpSpec> {
    vec![
        OpSpec::on(
            CONTAINERS,
            RESTART,
            "restart",
            Tier::T2,
            "Restarts one container and waits until it is healthy; only names of the configured list.",
        )
        .right("its name in `restart` of this `[[docker]]`"),
    ]
}
