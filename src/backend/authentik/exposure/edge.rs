//! What stands in front of an application besides Authentik: a second gate, none at all, or a way around the tunnel.

use crate::backend::authentik::rows::exposure::host;
use crate::backend::authentik::wire::Application;
use crate::backend::cloudflare::front::Front;
use crate::model::row::Health;

use super::Remark;

/// An application as the edge is held against it.
#[derive(Debug, Clone, Copy)]
pub struct Guarded<'a> {
    /// The application.
    pub application: &'a Application,
    /// Whether it is for administrators.
    pub admin: bool,
    /// Whether Authentik itself stands in front of it; absent where that cannot be seen.
    pub proxied: Option<bool>,
}

/// What the edge says of applications, the worst first.
pub fn at_the_edge<'a>(all: impl IntoIterator<Item = Guarded<'a>>, front: &Front) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = all.into_iter().filter_map(|one| remark(one, front)).collect();
    remarks.sort_by_key(|remark| remark.health);
    remarks
}

fn remark(one: Guarded<'_>, front: &Front) -> Option<Remark> {
    let host = host(one.application);
    if host.is_empty() {
        return None;
    }
    let says = |health, why| Some(Remark { what: one.application.slug.to_string(), why, health });
    if front.names.iter().any(|name| name.bare && name.host == host) {
        let why = format!(
            "{host} shows an address of its own: whoever uses it comes past the tunnel and its gates"
        );
        return says(Health::Critical, why);
    }
    if let Some(door) = front.door(&host) {
        let place = if door.path.is_empty() { String::new() } else { format!(" at {}", door.path) };
        let why = format!(
            "two gates in a row: Cloudflare Access ({}) and Authentik ask at {host}{place}, one is enough",
            door.name
        );
        return says(Health::Warning, why);
    }
    let published = front.names.iter().any(|name| name.host == host);
    if one.admin && published && one.proxied == Some(false) {
        let why = format!("{host} is published, and no gate stands in front of its own login");
        return says(Health::Warning, why);
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::backend::cloudflare::front::{Door, Published};

    use super::*;

    fn front() -> Front {
        let door =
            |host: &str, path: &str| Door { name: "people".into(), host: host.into(), path: path.into() };
        let name = |host: &str, bare| Published { host: host.into(), bare };
        Front {
            doors: vec![
                door("grafana.lab.example", ""),
                door("wiki.lab.example", "/admin"),
                door("*.two.example", ""),
            ],
            names: vec![name("omni.lab.example", false), name("ntfy.lab.example", true)],
        }
    }

    #[test]
    fn what_stands_in_front_is_told_row_by_row() {
        let cases = [
            ("grafana.lab.example", true, Some(true), Some((Health::Warning, "two gates in a row"))),
            ("grafana.lab.example", false, None, Some((Health::Warning, "two gates in a row"))),
            ("wiki.lab.example", false, Some(true), Some((Health::Warning, "at wiki.lab.example at /admin"))),
            ("one.two.example", false, Some(true), Some((Health::Warning, "two gates"))),
            ("two.example", false, Some(true), None),
            ("omni.lab.example", true, Some(true), None),
            ("omni.lab.example", true, Some(false), Some((Health::Warning, "no gate stands in front"))),
            // What cannot be seen is not concluded, and what is for everybody needs no gate.
            ("omni.lab.example", true, None, None),
            ("omni.lab.example", false, Some(false), None),
            ("ntfy.lab.example", false, Some(true), Some((Health::Critical, "past the tunnel"))),
            ("elsewhere.example", true, Some(false), None),
        ];
        for (host, admin, proxied, wanted) in cases {
            let json = format!(r#"{{"slug":"app","launch_url":"https://{host}/"}}"#);
            let application: Application = serde_json::from_str(&json).unwrap();
            let found = at_the_edge([Guarded { application: &application, admin, proxied }], &front());
            match wanted {
                Some((health, why)) => {
                    assert_eq!(found[0].health, health, "{host}");
                    assert!(found[0].why.contains(why), "{host}: {}", found[0].why);
                }
                None => assert!(found.is_empty(), "{host}: {found:?}"),
            }
        }
    }
}
