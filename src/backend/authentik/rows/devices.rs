//! Passkeys and other second factors. Numbers repeat between types, so a device is its type and its number.

use std::collections::{BTreeMap, HashMap};

use crate::backend::authentik::kinds::DEVICES;
use crate::backend::authentik::wire::Device;
use crate::model::id::Identity;
use crate::model::row::{Cell, Health, Row, Tone};

use super::{Place, State};

/// A type of authenticator: its part of the path, its word, the right to see it, and the right to delete one.
#[derive(Debug, PartialEq, Eq)]
pub struct Type {
    /// The part of the path (`webauthn`).
    pub path: &'static str,
    /// The word for people.
    pub word: &'static str,
    /// The right to see it.
    pub view: &'static str,
    /// The right to delete one.
    pub delete: &'static str,
}

/// Every type that a server may know.
pub const TYPES: &[Type] = &[
    Type {
        path: "webauthn",
        word: "passkey",
        view: "authentik_stages_authenticator_webauthn.view_webauthndevice",
        delete: "authentik_stages_authenticator_webauthn.delete_webauthndevice",
    },
    Type {
        path: "totp",
        word: "totp",
        view: "authentik_stages_authenticator_totp.view_totpdevice",
        delete: "authentik_stages_authenticator_totp.delete_totpdevice",
    },
    Type {
        path: "static",
        word: "codes",
        view: "authentik_stages_authenticator_static.view_staticdevice",
        delete: "authentik_stages_authenticator_static.delete_staticdevice",
    },
    Type {
        path: "sms",
        word: "sms",
        view: "authentik_stages_authenticator_sms.view_smsdevice",
        delete: "authentik_stages_authenticator_sms.delete_smsdevice",
    },
    Type {
        path: "email",
        word: "email",
        view: "authentik_stages_authenticator_email.view_emaildevice",
        delete: "authentik_stages_authenticator_email.delete_emaildevice",
    },
    Type {
        path: "duo",
        word: "duo",
        view: "authentik_stages_authenticator_duo.view_duodevice",
        delete: "authentik_stages_authenticator_duo.delete_duodevice",
    },
];

/// A device and its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// The type.
    pub kind: &'static Type,
    /// The device.
    pub device: Device,
}

impl Factor {
    /// Whether its owner can log in with it alone; a list of codes is what is left when the others are lost.
    pub fn counts(&self) -> bool {
        self.kind.path != "static"
    }
}

/// How many factors that count each owner has.
pub fn count(factors: &[Factor]) -> BTreeMap<i64, usize> {
    let owners = factors.iter().filter(|factor| factor.counts()).filter_map(|factor| factor.device.user.pk.0);
    owners.fold(BTreeMap::new(), |mut count, owner| {
        *count.entry(owner).or_default() += 1;
        count
    })
}

/// The factors of each user in a few words (`2 passkey, totp`); who has none is not there.
pub fn summaries(factors: &[Factor]) -> HashMap<i64, String> {
    let mut counts: HashMap<i64, [usize; TYPES.len()]> = HashMap::new();
    for factor in factors {
        let kind = TYPES.iter().position(|kind| kind == factor.kind);
        if let (Some(owner), Some(kind)) = (factor.device.user.pk.0, kind) {
            counts.entry(owner).or_default()[kind] += 1;
        }
    }
    counts.into_iter().map(|(owner, counts)| (owner, words(counts))).collect()
}

fn words(counts: [usize; TYPES.len()]) -> String {
    let words = TYPES.iter().zip(counts).filter_map(|(kind, count)| match count {
        0 => None,
        1 => Some(kind.word.to_owned()),
        n => Some(format!("{n} {}", kind.word)),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// A row for a device; `own` is how many factors that count its owner has.
pub fn row(factor: &Factor, own: usize, place: &Place) -> Option<Row> {
    let (number, device) = (factor.device.pk.0?, &factor.device);
    let state = if factor.counts() && own == 1 {
        State::new("last", Health::Ok).note("its owner has no other")
    } else {
        State::new("ok", Health::Ok)
    };
    let owner = device.user.username.some().unwrap_or("nobody");
    let key = format!("{}:{number}", factor.kind.path);
    let model = device.device_type.description.as_str();
    let cells = vec![
        state.cell(),
        Cell::new(device.name.as_str()),
        Cell::new(owner),
        Cell::new(factor.kind.word),
        Cell::toned(model, Tone::Dim),
        Cell::new(device.created_on.time()),
        Cell::toned(device.aaguid.as_str(), Tone::Dim),
        Cell::toned(key.as_str(), Tone::Dim),
    ];
    // The owner is part of the name, so that whoever types it to confirm has read whose it is.
    let name = format!("{owner}/{}", device.name.as_str());
    let mut row = place.row(DEVICES, key, name.as_str(), cells, state);
    row.identity = identity(factor);
    Some(row)
}

/// What makes a device that device: type, number, owner and name.
pub fn identity(factor: &Factor) -> Identity {
    let number = factor.device.pk.or_zero().to_string();
    let owner = factor.device.user.pk.0.map(|pk| pk.to_string()).unwrap_or_default();
    let (name, aaguid) = (factor.device.name.as_str(), factor.device.aaguid.as_str());
    let identity = Identity::new().with("type", factor.kind.path).with("id", number).with("owner", owner);
    let identity = identity.with("name", name).with("username", factor.device.user.username.as_str());
    if aaguid.is_empty() { identity } else { identity.with("aaguid", aaguid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(path: &str, json: &str) -> Factor {
        let kind = TYPES.iter().find(|kind| kind.path == path).unwrap();
        Factor { kind, device: serde_json::from_str(json).unwrap() }
    }

    #[test]
    fn equal_numbers_of_two_types_are_two_devices_and_codes_are_no_factor() {
        let owner = r#""user":{"pk":7,"username":"alice"}"#;
        let factors = [
            factor("webauthn", &format!(r#"{{"pk":1,"name":"key",{owner}}}"#)),
            factor("totp", &format!(r#"{{"pk":1,"name":"phone",{owner}}}"#)),
            factor(
                "static",
                &format!(r#"{{"pk":1,"name":"codes","token_set":[{{"token":"abcd1234"}}],{owner}}}"#),
            ),
        ];
        let place = Place { instance: "auth".into(), domain: crate::model::row::Domain::Cloud };
        let rows: Vec<Row> = factors.iter().filter_map(|f| row(f, count(&factors)[&7], &place)).collect();
        let ids: std::collections::BTreeSet<String> = rows.iter().map(|row| row.id.to_string()).collect();
        assert_eq!((ids.len(), count(&factors)[&7]), (3, 2));
        assert_eq!(summaries(&factors)[&7], "passkey, totp, codes");
        assert!(!format!("{rows:?}{factors:?}").contains("abcd1234"));
    }
}
