use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::backend::omni::key::KeyError;
use crate::backend::omni::packet::hex;

const KEY: &str = include_str!("../fixtures/service-account-key.txt");
/// When the signatures of the vectors were made.
const THEN: u32 = 1_770_000_000;

fn key() -> ServiceKey {
    ServiceKey::parse(KEY).unwrap()
}

#[test]
fn the_key_is_read_with_its_fingerprint_and_end() {
    let key = key();
    assert_eq!(key.name, "tui-test");
    assert_eq!(key.fingerprint_hex(), "2e635cfe8642f856698d8732c192202d5138ee11");
    assert_eq!(
        hex(key.secret.verifying_key().as_bytes()),
        "c3b1244c9d43b41359b797dfd6edec08d878a51076798a6160f54e22b36d3b51"
    );
    assert_eq!(key.expires.unwrap().to_string(), "2027-01-01T00:00:00Z");
    assert!(!format!("{key:?}").contains("6f967e61"));
}

#[test]
fn a_list_is_signed_byte_for_byte_as_gopenpgp_verifies_it() {
    let signed = sign(&key(), THEN, "/omni.resources.ResourceService/List", &[("runtime", "Omni")]);
    assert_eq!(signed.timestamp, "1770000000");
    assert_eq!(
        signed.payload,
        r#"{"headers":{"runtime":["Omni"],"x-sidero-timestamp":["1770000000"]},"method":"/omni.resources.ResourceService/List"}"#
    );
    assert_eq!(
        signed.signature,
        "siderov1 tui-test 2e635cfe8642f856698d8732c192202d5138ee11 \
         wnUEABYIAB0FAmmADoAWIQQuY1z+hkL4VmmNhzLBkiAtUTjuEQAKCRDBkiAtUTjuEQi8AP9BzF6rOoTdCwjzlQWJ8kaDzGyLJDTttOFMTxon\
         LGgO7AEA4srZkyx3grIcYMQ917hKfrJ1lXRQLBqpsl4YnmwYtwc="
    );
    assert_eq!(
        hex(&packet(&key(), THEN, signed.payload.as_bytes())),
        "c27504001608001d050269800e801621042e635cfe8642f856698d8732c192202d5138ee11000a0910c192202d5138ee1108bc00ff41\
         cc5eab3a84dd0b08f3950589f24683cc6c8b2434edb4e14c4f1a272c680eec0100e2cad9932c7782b21c60c43dd7b84a7eb2759574502c1aa9\
         b25e189e6c18b707"
    );
}

#[test]
fn a_call_about_a_cluster_is_signed_with_its_name() {
    let signed = sign(&key(), THEN, "/management.ManagementService/Kubeconfig", &[("cluster", "prod-1")]);
    let packet = signed.signature.rsplit(' ').next().unwrap();
    assert_eq!(
        packet,
        "wnUEABYIAB0FAmmADoAWIQQuY1z+hkL4VmmNhzLBkiAtUTjuEQAKCRDBkiAtUTjuETDrAP9GJF8X5Mkl2nsdZ3afoPiUD8DPZI5DaEKgJY2w\
         FOjxNAD+K6T/XC4R42Wbfzu7UfYzqMcXtfjuTDqiqX7z0hudTAw="
    );
}

#[test]
fn the_go_clients_payload_gets_the_go_clients_signature() {
    let payload = concat!(
        r#"{"headers":{"authorization":null,"cluster":null,"context":null,"fieldSelectors":null,"namespace":null,"nodes":null,"#,
        r#""runtime":["Omni"],"selectors":null,"uid":null,"x-sidero-timestamp":["1770000000"]},"method":"/omni.resources.ResourceService/List"}"#
    );
    assert_eq!(
        STANDARD.encode(packet(&key(), THEN, payload.as_bytes())),
        "wnUEABYIAB0FAmmADoAWIQQuY1z+hkL4VmmNhzLBkiAtUTjuEQAKCRDBkiAtUTjuEfuBAQDo0W7pYCLMqelg4nK6IvcHQzK2pVMK1EHH0mv8\
         Vm54igEAuhvVD/7aD3RkQ26MRJkS1Ykm1k4S/twKj33SMuBoIAs="
    );
}

/// The account's JSON with its OpenPGP bytes changed.
fn altered(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let json = String::from_utf8(STANDARD.decode(KEY.trim()).unwrap()).unwrap();
    let account: serde_json::Value = serde_json::from_str(&json).unwrap();
    let mut bytes = crate::backend::omni::packet::dearmour(account["pgp_key"].as_str().unwrap()).unwrap();
    change(&mut bytes);
    let armour = format!(
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{}\n-----END PGP PRIVATE KEY BLOCK-----",
        STANDARD.encode(bytes)
    );
    STANDARD.encode(serde_json::json!({"name": "tui-test", "pgp_key": armour}).to_string())
}

#[test]
fn every_key_that_cannot_sign_is_refused_in_one_line_with_the_cure() {
    // The packet's header takes two bytes; then version, four bytes of time, algorithm, curve, point, protection.
    let cases = [
        ("!!!".to_owned(), "not base64", "on one line"),
        (STANDARD.encode("{}"), "not a service account key", "serviceaccount create"),
        (
            STANDARD.encode(r#"{"name":"a b","pgp_key":""}"#),
            "not a service account key",
            "serviceaccount create",
        ),
        (STANDARD.encode(r#"{"name":"a","pgp_key":"x"}"#), "no BEGIN PGP line", "copy it again"),
        (altered(|key| key.truncate(40)), "breaks off", "copy it again"),
        (altered(|key| key[2] = 6), "version 6", "serviceaccount create"),
        (altered(|key| key[7] = 1), "RSA", "serviceaccount create"),
        (altered(|key| key[9] ^= 1), "another curve", "serviceaccount create"),
        (altered(|key| key[20] ^= 1), "halves", "copy it again"),
        (altered(|key| key[53] = 254), "encrypted", "without a passphrase"),
        (altered(|key| key[60] ^= 1), "checksum", "copy it again"),
        (altered(|key| key[0] = 0xc6), "no secret half", "private key"),
    ];
    for (text, what, cure) in cases {
        let message = ServiceKey::parse(&text).unwrap_err().to_string();
        assert!(message.contains(what) && message.contains(cure), "{what}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn an_armour_copied_with_an_error_is_found_by_its_checksum() {
    let json = String::from_utf8(STANDARD.decode(KEY.trim()).unwrap()).unwrap();
    let wrong = STANDARD.encode(json.replace("=ICMW", "=ICMV"));
    assert!(matches!(ServiceKey::parse(&wrong), Err(KeyError::Damaged(what)) if what.contains("checksum")));
}

/// Whether a digest is signed, by another implementation than the one that signs: ring, as rustls carries it.
fn ring_verifies(public: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let known = rustls::crypto::ring::default_provider().signature_verification_algorithms.all;
    let ed25519 = known.iter().find(|known| known.signature_alg_id() == rustls::pki_types::alg_id::ED25519);
    ed25519.unwrap().verify_signature(public, digest, signature).is_ok()
}

/// Verifies a packet with nothing but RFC 4880, SHA-256 and ring, in the one layout that `packet` makes.
fn verified(key: &ServiceKey, packet: &[u8], data: &[u8]) -> bool {
    let Some((&[0xc2, length], body)) = packet.split_first_chunk() else { return false };
    let head = &body[..35];
    assert_eq!((usize::from(length), head[..4].to_vec()), (body.len(), vec![4, 0, 22, 8]));
    let mut hash = Sha256::new();
    hash.update(data);
    hash.update(head);
    hash.update([4, 0xff, 0, 0, 0, 35]);
    let digest = hash.finalize();
    // Two bytes of length, ten of the issuer, two of the digest; then two numbers whose leading zeros are not written.
    let mut rest = &body[49..];
    let mut number = || {
        let bits = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        let (digits, after) = rest[2..].split_at(bits.div_ceil(8));
        assert_eq!(digits.first().map_or(0, |first| 8 * digits.len() - first.leading_zeros() as usize), bits);
        rest = after;
        let mut whole = [0; 32];
        whole[32 - digits.len()..].copy_from_slice(digits);
        whole
    };
    let signature = [number(), number()].concat();
    body[47..49] == digest[..2]
        && rest.is_empty()
        && ring_verifies(key.secret.verifying_key().as_bytes(), &digest, &signature)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_signed_verifies_and_nothing_else_does(
        seed in any::<[u8; 32]>(),
        now in 1_600_000_000_u32..2_000_000_000,
        cluster in "[ -~]{1,40}",
        method in "/[a-z.]{3,20}/[A-Z][a-zA-Z]{2,20}",
        flip in any::<prop::sample::Index>(),
    ) {
        let secret = ed25519_dalek::SigningKey::from_bytes(&seed);
        let key = ServiceKey { name: "random".into(), fingerprint: [7; 20], expires: None, secret };
        let signed = sign(&key, now, &method, &[("cluster", &cluster)]);
        let packet = STANDARD.decode(signed.signature.rsplit(' ').next().unwrap()).unwrap();
        prop_assert!(verified(&key, &packet, signed.payload.as_bytes()));
        let claimed: serde_json::Value = serde_json::from_str(&signed.payload).unwrap();
        prop_assert_eq!(&claimed["headers"]["cluster"][0], &serde_json::json!(cluster));
        let mut other = signed.payload.into_bytes();
        let at = flip.index(other.len());
        other[at] ^= 1;
        prop_assert!(!verified(&key, &packet, &other));
    }
}
