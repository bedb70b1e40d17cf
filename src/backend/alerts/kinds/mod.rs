//! What the browser is told of alerts, silences and rules.

mod more;

use crate::model::kind::{Column, Format, KindSpec, Shape, ViewSpec, Width};
use crate::model::op::{Field, FieldKind, OpSpec, Tier, Verb};

/// Alerts of Alertmanager and pending ones of Prometheus.
pub const ALERTS: &str = "alerts.alerts";
/// Silences of Alertmanager.
pub const SILENCES: &str = "alerts.silences";
/// Alerts as they are told together.
pub const GROUPS: &str = "alerts.groups";
/// Whom Alertmanager tells.
pub const RECEIVERS: &str = "alerts.receivers";
/// Times that alerts fired.
pub const HISTORY: &str = "alerts.history";
/// What has to hold before silence means that all is well.
pub const TRUST: &str = "alerts.trust";
/// `PostgreSQL` servers, as Prometheus sees them.
pub const DATABASES: &str = "alerts.databases";
/// Rules of Prometheus.
pub const RULES: &str = "alerts.rules";

/// Makes a silence for one alert.
pub const SILENCE: &str = "alerts.silence";
/// Silences a whole domain; vigie's desk does it as a part of declaring the domain off.
pub const HUSH: &str = "alerts.hush";
/// Lets a silence last longer, under the same id.
pub const EXTEND: &str = "alerts.extend-silence";
/// Ends a silence.
pub const EXPIRE: &str = "alerts.expire-silence";
/// Takes an alert on: a short silence that is renewed while the alert fires.
pub const ACK: &str = "alerts.ack";
/// Gives an alert back.
pub const UNACK: &str = "alerts.unack";

/// Eight hours in seconds: the ceiling of the forms; the configuration may lower it.
pub const LONGEST: i64 = 8 * 3600;

/// All kinds.
pub fn all() -> Vec<KindSpec> {
    vec![
        alerts(),
        silences(),
        rules(),
        more::groups(),
        more::receivers(),
        more::history(),
        more::trust(),
        super::databases::kind(),
    ]
}

fn alerts() -> KindSpec {
    KindSpec {
        id: ALERTS.into(),
        singular: "alert".into(),
        aliases: vec!["alert".into(), "al".into()],
        doc: "What fires, is pending or is kept quiet, over all Alertmanagers and Prometheus servers.".into(),
        columns: vec![
            Column::new(
                "state",
                "state",
                Width::Fit(8, 12),
                "firing, pending, recovering, unsent, or why it is quiet",
            )
            .format(Format::State)
            .priority(0),
            Column::new("severity", "severity", Width::Fit(4, 8), "the word of its severity label")
                .priority(2),
            Column::new("name", "alert", Width::Fit(12, 32), "its alertname").priority(0),
            Column::new("on", "on", Width::Flex(12), "the thing it is about").priority(1),
            Column::new("value", "value", Width::Fit(1, 9), "the expression's value at the last evaluation")
                .priority(3),
            Column::new(
                "since",
                "since",
                Width::Fit(3, 5),
                "how long it has been firing, or true while pending",
            )
            .format(Format::Age)
            .priority(1),
            Column::new("quiet", "quiet", Width::Fit(0, 24), "who or what keeps it quiet, and until when")
                .priority(4),
            Column::new("summary", "summary", Width::Flex(3), "what its rule says about it").priority(5),
            Column::new("seen", "seen", Width::Fit(3, 5), "by how many members of the cluster it is held")
                .wide(),
            Column::new("told", "told", Width::Fit(4, 24), "the receivers that its routes lead to").wide(),
            Column::new("true", "true", Width::Fit(3, 5), "how long its expression has been true")
                .format(Format::Age)
                .wide(),
            Column::new("heard", "heard", Width::Fit(3, 5), "when it was received last")
                .format(Format::Age)
                .wide(),
            Column::new("flaps", "flaps", Width::Fit(0, 8), "how often it has begun to fire within the hour")
                .wide(),
            Column::new("group", "group", Width::Flex(2), "the group in which it is told first").wide(),
            Column::new("fingerprint", "fingerprint", Width::Fixed(16), "the hash of its labels").wide(),
        ],
        sort: (0, false),
        views: vec![
            ViewSpec { name: "log".into(), title: "lines around it".into(), shape: Shape::Log },
            ViewSpec { name: "chart".into(), title: "expression".into(), shape: Shape::Chart },
        ],
        drill: None,
        pane: Some('5'),
    }
}

/// The words of a silence's state.
const STATES: &str = "active, pending or expired; ending: active for less than 30 minutes more; unused: it matches \
                      nothing; back: it had ended and is there again; held: it ended, and a member does not know";

fn silences() -> KindSpec {
    KindSpec {
        id: SILENCES.into(),
        singular: "silence".into(),
        aliases: vec!["silence".into(), "sil".into()],
        doc: "What is kept quiet on purpose, by whom and until when; expired ones for a day.".into(),
        columns: vec![
            Column::new("state", "state", Width::Fit(7, 10), STATES).format(Format::State).priority(0),
            Column::new("matchers", "matchers", Width::Flex(3), "the labels that it matches, all of them")
                .priority(0),
            Column::new("hits", "hits", Width::Fit(1, 4), "how many alerts it matches now")
                .format(Format::Count)
                .priority(1),
            Column::new("ends", "ends", Width::Fit(3, 5), "the time that remains")
                .format(Format::Until)
                .priority(0),
            Column::new("by", "by", Width::Fit(2, 16), "who made it").priority(2),
            Column::new("comment", "comment", Width::Flex(3), "why").priority(3),
            Column::new("ended", "ended", Width::Fit(3, 5), "when it ended").format(Format::Age).wide(),
            Column::new("since", "since", Width::Fit(3, 5), "when it began").format(Format::Age).wide(),
            Column::new("id", "id", Width::Fixed(36), "its id, the same on every member").wide(),
        ],
        sort: (3, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

fn rules() -> KindSpec {
    KindSpec {
        id: RULES.into(),
        singular: "rule".into(),
        aliases: vec!["rule".into()],
        doc: "Alerting and recording rules of Prometheus, and whether they can be evaluated at all.".into(),
        columns: vec![
            Column::new("state", "state", Width::Fit(8, 11), "firing, pending, inactive, ok, broken or late")
                .format(Format::State)
                .priority(0),
            Column::new("name", "rule", Width::Fit(12, 40), "the alert or the recorded series").priority(0),
            Column::new("group", "group", Width::Fit(6, 28), "its group").priority(2),
            Column::new("alerts", "alerts", Width::Fit(1, 6), "how many of its alerts are pending or firing")
                .format(Format::Count)
                .priority(1),
            Column::new("for", "for", Width::Fit(2, 5), "how long it must be true before it fires")
                .format(Format::Seconds)
                .priority(3),
            Column::new("evaluated", "evaluated", Width::Fit(3, 9), "when it was evaluated last")
                .format(Format::Age)
                .priority(2),
            Column::new("error", "error", Width::Flex(2), "why it could not be evaluated").priority(3),
            Column::new("type", "type", Width::Fit(8, 9), "alerting or recording").wide(),
            Column::new("takes", "takes", Width::Fit(3, 6), "how long its evaluation takes")
                .format(Format::Seconds)
                .wide(),
            Column::new("expression", "expression", Width::Flex(3), "its PromQL expression").wide(),
        ],
        sort: (0, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

/// All operations.
pub fn operations() -> Vec<OpSpec> {
    [silencing(), acknowledging()].concat()
}

fn duration(doc: &'static str) -> Field {
    Field::new("duration", "for", FieldKind::Duration { max: LONGEST }, doc).default("1h")
}

fn acknowledging() -> Vec<OpSpec> {
    vec![
        OpSpec::on(
            ALERTS,
            ACK,
            "acknowledge",
            Tier::T1,
            "Takes an alert on: a short silence in your name, renewed while the alert fires and this console runs.",
        )
        .form(vec![
            Field::new("comment", "what you do", FieldKind::Line, "What you do about it; may be empty.").optional(),
            duration("How long each renewal lasts: the alert is told again so long after this console has ended.")
                .default("15m"),
        ])
        .bulk()
        .kept()
        .right("to write to Alertmanager"),
        OpSpec::on(
            ALERTS,
            UNACK,
            "give back",
            Tier::T1,
            "Ends the acknowledgement of an alert now: it is told again.",
        )
        .bulk()
        .right("to write to Alertmanager"),
    ]
}

fn silencing() -> Vec<OpSpec> {
    vec![
        OpSpec::on(
            ALERTS,
            SILENCE,
            "silence",
            Tier::T1,
            "Keeps one alert quiet for a while, by its exact labels.",
        )
        .form(vec![
            duration("How long it stays quiet, at most 8h."),
            Field::new("comment", "why", FieldKind::Line, "Why it may be quiet; the whole team reads it."),
            Field::new(
                "matchers",
                "matchers",
                FieldKind::Lines,
                "One exact matcher a line, such as alertname=\"Name\"; empty takes the alert's own labels.",
            )
            .optional(),
        ])
        .bulk()
        .previews()
        .right("to write to Alertmanager")
        .verb(Verb::Special),
        OpSpec::on(
            SILENCES,
            EXTEND,
            "extend",
            Tier::T1,
            "Lets a silence last longer; its id and matchers stay.",
        )
        .form(vec![
            duration("How much longer, counted from its present end; it may last 8h from now at most."),
            Field::new("comment", "why", FieldKind::Line, "A new comment; empty keeps the old one.")
                .optional(),
        ])
        .bulk()
        .right("to write to Alertmanager")
        .verb(Verb::Edit),
        OpSpec::on(
            SILENCES,
            EXPIRE,
            "expire",
            Tier::T1,
            "Ends a silence now: what it kept quiet is told again.",
        )
        .bulk()
        .right("to write to Alertmanager")
        .verb(Verb::End),
    ]
}
