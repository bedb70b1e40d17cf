//! What probes have to show.

use crate::model::kind::{Column, Format, KindSpec, Width};

/// Addresses and the gates in front of them.
pub const PROBES: &str = "probe.probes";

/// All kinds.
pub fn all() -> Vec<KindSpec> {
    let columns = vec![
        Column::new(
            "state",
            "state",
            Width::Fixed(9),
            "ok, or what is wrong: edge, gate, origin, app, open, down.",
        )
        .format(Format::State)
        .priority(0),
        Column::new("name", "name", Width::Fit(8, 28), "The address's name, or that of a gate.").priority(0),
        Column::new(
            "expect",
            "expect",
            Width::Fixed(7),
            "What a stranger should meet: open, login, access, refused.",
        )
        .priority(3),
        Column::new("edge", "edge", Width::Fit(6, 18), "What was met through the edge.").priority(1),
        Column::new("origin", "origin", Width::Fit(6, 18), "What was met past the edge.").priority(1),
        Column::new("layer", "layer", Width::Fixed(6), "The first layer that fails.").priority(1),
        Column::new("why", "why", Width::Flex(14), "What that means.").priority(0),
        Column::new("took", "took", Width::Fixed(6), "How long the answer took, in milliseconds.")
            .format(Format::Count)
            .priority(4),
        Column::new("certificate", "cert", Width::Fixed(5), "Time until the certificate ends.")
            .format(Format::Until)
            .priority(2),
        Column::new("gate", "gate", Width::Fit(4, 24), "What stands in front of it.").priority(3),
        Column::new("ray", "cf-ray", Width::Fit(6, 24), "Cloudflare's number of the request.")
            .priority(9)
            .wide(),
        Column::new("url", "url", Width::Fit(10, 48), "The address.").priority(9).wide(),
    ];
    vec![KindSpec {
        id: PROBES.into(),
        singular: "probe".into(),
        aliases: vec!["probe".into(), "probes".into(), "gates".into()],
        doc: "Addresses as a stranger meets them, through the edge and past it.".into(),
        columns,
        sort: (0, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }]
}
