//! Random calls: signed by the client's code, judged by the server's.

use axum::http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::super::pgp::Recipe;
use super::*;
use crate::backend::omni::key::ServiceKey;
use crate::backend::omni::sign::sign;

/// The server's time.
const NOW: i64 = 1_770_000_000;

/// A call as it arrives.
#[derive(Debug, Clone)]
struct Arrived {
    method: String,
    headers: HeaderMap,
}

impl Arrived {
    fn signed(key: &ServiceKey, at: i64, method: &str, routing: &[(&'static str, String)]) -> Self {
        let routing: Vec<(&str, &str)> =
            routing.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let signed = sign(key, u32::try_from(at).unwrap(), method, &routing);
        let mut call = Self { method: method.to_owned(), headers: HeaderMap::new() };
        for (name, value) in [
            ("x-sidero-timestamp", signed.timestamp.as_str()),
            ("x-sidero-payload", &signed.payload),
            ("x-sidero-signature", &signed.signature),
        ]
        .into_iter()
        .chain(routing)
        {
            call.put(name, value);
        }
        call
    }

    fn put(&mut self, name: &str, value: &str) {
        let name: HeaderName = format!("grpc-metadata-{name}").parse().unwrap();
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
    }

    fn is_let_in(&self, accounts: &BTreeMap<String, Account>) -> bool {
        let now = Timestamp::from_second(NOW).unwrap();
        authenticate(accounts, &self.headers, &self.method, now).is_ok()
    }
}

fn registered(recipe: &Recipe<'_>) -> (ServiceKey, BTreeMap<String, Account>) {
    let (fingerprint, key) = recipe.registered();
    let expires = Timestamp::from_second(NOW + 3600).unwrap();
    let account = Account { name: recipe.name.into(), role: Role::Reader, key, expires, exists: true };
    (ServiceKey::parse(&recipe.account_key()).unwrap(), BTreeMap::from([(fingerprint, account)]))
}

fn routing() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let value = |text: &'static str| prop::option::of(text);
    (value("Omni|Talos|Kubernetes"), value("[a-z][a-z0-9-]{0,30}"), value("[a-z./]{1,20}(=[a-z]{1,9})?"))
        .prop_map(|(runtime, cluster, selectors)| {
            let all = [("runtime", runtime), ("cluster", cluster), ("selectors", selectors)];
            all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_signed_call_is_let_in_and_none_that_differs_in_anything(
        seed in any::<[u8; 32]>(),
        other in any::<[u8; 32]>(),
        early in -300_i64..=300,
        routing in routing(),
        method in "/[a-z.]{3,20}/[A-Z][a-zA-Z]{2,20}",
    ) {
        prop_assume!(seed != other);
        let created = u32::try_from(NOW - 86_400).unwrap();
        let recipe = Recipe { name: "random", seed, created, lifetime: 365 * 86_400 };
        let (key, accounts) = registered(&recipe);
        let call = Arrived::signed(&key, NOW + early, &method, &routing);
        prop_assert!(call.is_let_in(&accounts), "{call:?}");

        let replayed = Arrived { method: format!("{method}X"), ..call.clone() };
        prop_assert!(!replayed.is_let_in(&accounts), "replayed on another method");
        for (name, _) in &routing {
            let mut changed = call.clone();
            changed.put(name, "another");
            prop_assert!(!changed.is_let_in(&accounts), "{name} was changed on the way");
            let mut lost = call.clone();
            lost.headers.remove(format!("grpc-metadata-{name}"));
            prop_assert!(!lost.is_let_in(&accounts), "{name} was lost on the way");
        }
        let mut added = call.clone();
        added.put("namespace", "default");
        prop_assert!(!added.is_let_in(&accounts), "a routing header is not signed");
        let mut proxied = call.clone();
        proxied.headers.insert("authorization", HeaderValue::from_static("Bearer x"));
        prop_assert!(!proxied.is_let_in(&accounts), "a proxy added Authorization");
        let mut near = call;
        near.put("node", "430d882a-51a8-48b3-ae00-90c5b0b5b0b0");
        prop_assert!(near.is_let_in(&accounts), "the node is never signed");

        let late = Arrived::signed(&key, NOW + 301 * early.signum().max(1), &method, &routing);
        prop_assert!(!late.is_let_in(&accounts), "five minutes are the limit");
        let stranger = registered(&Recipe { seed: other, ..recipe }).0;
        prop_assert!(!Arrived::signed(&stranger, NOW, &method, &routing).is_let_in(&accounts));
        let mut borrowed = accounts;
        for account in borrowed.values_mut() {
            account.key = stranger.secret.verifying_key();
        }
        prop_assert!(!Arrived::signed(&key, NOW, &method, &routing).is_let_in(&borrowed), "another key's signature");
    }
}

#[test]
fn a_key_that_ended_or_whose_user_is_gone_is_not_let_in() {
    let recipe = Recipe { name: "vigie", seed: [7; 32], created: 1_760_000_000, lifetime: 365 * 86_400 };
    let (key, accounts) = registered(&recipe);
    let call = Arrived::signed(&key, NOW, "/a.B/C", &[("runtime", "Omni".into())]);
    assert!(call.is_let_in(&accounts));
    for change in
        [(|account| account.expires = Timestamp::from_second(NOW).unwrap()) as fn(&mut Account), |account| {
            account.exists = false;
        }]
    {
        let mut accounts = accounts.clone();
        accounts.values_mut().for_each(change);
        assert!(!call.is_let_in(&accounts));
    }
}
