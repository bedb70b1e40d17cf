//! The lab's Alertmanagers and its Prometheus: a pair that shares silences and not alerts, as odd as version 0.25 is,
//! and the server that evaluates the homelab's rules.

mod alertmanager;
mod homelab;
mod prometheus;
mod query;
mod quiet;
mod silences;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::sim::{Address, Setting, Settings, Simulator, World};

use silences::Silences;

/// The user that both Alertmanagers ask for.
const USER: &str = "vigie";
/// The cluster that they form, and the name of everything here.
pub(super) const CLUSTER: &str = "lab";

/// An alert that somebody posted to one member.
#[derive(Debug, Clone)]
struct Posted {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts: Timestamp,
    ends: Timestamp,
    updated: Timestamp,
    generator: String,
}

/// What the servers of the lab share.
struct Lab {
    world: Arc<World>,
    /// When the lab began; ages of its alerts are counted from here.
    began: Timestamp,
    rules: Vec<homelab::Rule>,
    silences: Mutex<Silences>,
}

impl Lab {
    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// The password of this world's Alertmanagers.
    fn password(&self) -> String {
        format!("lab-{:08x}", self.world.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32)
    }
}

/// All simulators of the backend.
pub(super) fn all(world: &Arc<World>) -> Vec<Simulator> {
    let began = world.clock.now();
    let lab = Arc::new(Lab {
        world: world.clone(),
        began,
        rules: homelab::rules(&world.scenario),
        silences: Mutex::new(Silences::of_the_homelab(began)),
    });
    let member = |number: u8| {
        let server = format!("alertmanager-{number}");
        let router = alertmanager::router(lab.clone(), number);
        Simulator { tables: vec![("alertmanager", table(server.clone(), &lab))], server, tls: false, router }
    };
    let prometheus = Simulator {
        server: "prometheus".to_owned(),
        tls: false,
        router: prometheus::router(lab.clone()),
        tables: vec![("prometheus", Box::new(|address: &Address| common("prometheus", address)) as Settings)],
    };
    vec![member(1), member(2), prometheus]
}

fn table(name: String, lab: &Lab) -> Settings {
    let password = lab.password();
    Box::new(move |address: &Address| {
        let mut settings = common(&name, address);
        settings.push(("cluster", Setting::Text(CLUSTER.to_owned())));
        settings.push(("user", Setting::Text(USER.to_owned())));
        settings.push(("password", Setting::Secret(password.clone())));
        settings
    })
}

fn common(name: &str, address: &Address) -> Vec<(&'static str, Setting)> {
    vec![
        ("name", Setting::Text(name.to_owned())),
        ("url", Setting::Text(address.url.clone())),
        ("domain", Setting::Text("home".to_owned())),
    ]
}

/// An error of a handler: a JSON text.
fn refuse(status: StatusCode, text: &str) -> Response {
    (status, Json(Value::from(text))).into_response()
}

/// An error of the API's frame: an object with a code of its own.
fn frame(status: StatusCode, code: u16, message: impl Into<String>) -> Response {
    (status, Json(json!({"code": code, "message": message.into()}))).into_response()
}

/// An error in plain text.
fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// An instant with milliseconds in UTC, as the servers write what they set themselves.
fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
