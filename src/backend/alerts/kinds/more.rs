//! Kinds that explain the alerts: how they are told together, to whom, what came and went, and whether silence can be
//! believed.

use crate::model::kind::{Column, Format, KindSpec, Shape, ViewSpec, Width};

use super::{GROUPS, HISTORY, RECEIVERS, TRUST};

pub(super) fn groups() -> KindSpec {
    KindSpec {
        id: GROUPS.into(),
        singular: "group".into(),
        aliases: vec!["group".into()],
        doc: "Alerts as Alertmanager tells them: together, to one receiver.".into(),
        columns: vec![
            Column::new(
                "state",
                "state",
                Width::Fit(6, 8),
                "firing, or quiet where nobody is told of any of it",
            )
            .format(Format::State)
            .priority(0),
            Column::new("severity", "severity", Width::Fit(4, 8), "the worst among its alerts").priority(2),
            Column::new("name", "group", Width::Flex(3), "the labels that its alerts share").priority(0),
            Column::new("receiver", "receiver", Width::Fit(6, 24), "who is told").priority(1),
            Column::new("alerts", "alerts", Width::Fit(2, 6), "how many alerts it has")
                .format(Format::Count)
                .priority(1),
            Column::new("quiet", "quiet", Width::Fit(2, 5), "how many of them are kept quiet")
                .format(Format::Count)
                .priority(2),
            Column::new("since", "since", Width::Fit(3, 5), "how long its oldest alert has been firing")
                .format(Format::Age)
                .priority(1),
            Column::new("again", "again", Width::Fit(2, 6), "after how long the same is told again").wide(),
        ],
        sort: (0, false),
        views: vec![ViewSpec { name: "tree".into(), title: "alerts".into(), shape: Shape::Tree }],
        drill: None,
        pane: None,
    }
}

pub(super) fn receivers() -> KindSpec {
    KindSpec {
        id: RECEIVERS.into(),
        singular: "receiver".into(),
        aliases: vec!["receiver".into()],
        doc: "Whom Alertmanager tells, by which way, and how many alerts lead there now.".into(),
        columns: vec![
            Column::new("state", "state", Width::Fit(6, 8), "open, muted by an interval, or nobody")
                .format(Format::State)
                .priority(0),
            Column::new("name", "receiver", Width::Flex(2), "its name").priority(0),
            Column::new("by", "by", Width::Flex(2), "its integrations, without their addresses").priority(1),
            Column::new("told", "told", Width::Fit(2, 5), "how many alerts it is told of now")
                .format(Format::Count)
                .priority(1),
            Column::new("quiet", "quiet", Width::Fit(2, 5), "how many more lead there and are kept quiet")
                .format(Format::Count)
                .priority(2),
            Column::new("routes", "routes", Width::Fit(2, 6), "how many routes end there")
                .format(Format::Count)
                .priority(3),
            Column::new("why", "why", Width::Flex(2), "why it is muted, and until when").priority(2),
        ],
        sort: (1, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

pub(super) fn history() -> KindSpec {
    KindSpec {
        id: HISTORY.into(),
        singular: "episode".into(),
        aliases: vec!["history".into(), "episodes".into()],
        doc: "Each time that an alert fired within a day, from vigie's own polls and from Prometheus.".into(),
        columns: vec![
            Column::new(
                "state",
                "state",
                Width::Fit(6, 10),
                "firing, ended, or ended? where its rule is broken",
            )
            .format(Format::State)
            .priority(0),
            Column::new("severity", "severity", Width::Fit(4, 8), "the word of its severity label")
                .priority(2),
            Column::new("name", "alert", Width::Fit(12, 32), "its alertname").priority(0),
            Column::new("on", "on", Width::Flex(12), "the thing it is about").priority(1),
            Column::new("began", "began", Width::Fit(6, 6), "when it began to fire")
                .format(Format::Age)
                .priority(1),
            Column::new("ended", "ended", Width::Fit(3, 5), "when it was gone, as near as the source tells")
                .format(Format::Age)
                .priority(1),
            Column::new("lasted", "lasted", Width::Fit(3, 6), "how long it fired")
                .format(Format::Seconds)
                .priority(2),
            Column::new(
                "flaps",
                "flaps",
                Width::Fit(2, 9),
                "how often the alert fired: within the hour, or six",
            )
            .priority(2),
            Column::new("from", "from", Width::Fit(5, 10), "who saw it: vigie's polls, or a Prometheus")
                .wide(),
            Column::new("fingerprint", "fingerprint", Width::Fixed(16), "the hash of its labels").wide(),
        ],
        sort: (4, true),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

pub(super) fn trust() -> KindSpec {
    KindSpec {
        id: TRUST.into(),
        singular: "check".into(),
        aliases: vec!["trust".into()],
        doc: "What has to hold before silence means that all is well.".into(),
        columns: vec![
            Column::new("state", "state", Width::Fit(3, 7), "ok, or blind where it does not hold")
                .format(Format::State)
                .priority(0),
            Column::new("name", "check", Width::Fit(8, 32), "what was looked at").priority(0),
            Column::new("says", "says", Width::Flex(3), "what it says").priority(1),
            Column::new("at", "at", Width::Fit(3, 5), "when it was last seen")
                .format(Format::Age)
                .priority(1),
        ],
        sort: (0, true),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}
