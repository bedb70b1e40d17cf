//! How a call proves who sends it: an OpenPGP signature over its method, its time and its routing headers.
//!
//! The body is not signed and the same signature is good for five minutes, so TLS is what protects a call.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::key::{EDDSA, ServiceKey};
use super::packet::put_mpi;

/// The three values that travel with a signed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// `x-sidero-timestamp`: Unix seconds.
    pub timestamp: String,
    /// `x-sidero-payload`: the JSON text that was signed; the server verifies these bytes.
    pub payload: String,
    /// `x-sidero-signature`: scheme, account, fingerprint and packet.
    pub signature: String,
}

#[derive(Serialize)]
struct Payload<'a> {
    headers: BTreeMap<&'a str, [&'a str; 1]>,
    method: &'a str,
}

/// Signs a call to a full gRPC method name with its routing headers (`runtime`, `cluster`, `selectors` …).
///
/// Headers that are not sent must not be named: the server compares what is signed with what arrives.
pub(super) fn sign(key: &ServiceKey, now: u32, method: &str, routing: &[(&str, &str)]) -> Signed {
    let timestamp = now.to_string();
    let mut headers: BTreeMap<&str, [&str; 1]> =
        routing.iter().map(|(name, value)| (*name, [*value])).collect();
    headers.insert("x-sidero-timestamp", [&timestamp]);
    // Strings and arrays of strings have no way to fail.
    let payload = serde_json::to_string(&Payload { headers, method }).unwrap_or_default();
    let packet = STANDARD.encode(packet(key, now, payload.as_bytes()));
    let signature = format!("siderov1 {} {} {packet}", key.name, key.fingerprint_hex());
    Signed { timestamp, payload, signature }
}

/// A detached binary signature over `data`, created at `now` (Unix seconds), as one version 4 packet.
pub(super) fn packet(key: &ServiceKey, now: u32, data: &[u8]) -> Vec<u8> {
    let mut hashed = vec![5, 2];
    hashed.extend_from_slice(&now.to_be_bytes());
    hashed.extend_from_slice(&[0x16, 0x21, 4]);
    hashed.extend_from_slice(&key.fingerprint);
    seal(key, 0x00, data, &hashed)
}

/// Signs `data` with a signature of a type and hashed subpackets.
pub(super) fn seal(key: &ServiceKey, kind: u8, data: &[u8], hashed: &[u8]) -> Vec<u8> {
    const SHA256: u8 = 8;
    let mut body = vec![4, kind, EDDSA, SHA256];
    body.extend_from_slice(&u16::try_from(hashed.len()).unwrap_or(u16::MAX).to_be_bytes());
    body.extend_from_slice(hashed);
    let digest = digest::<Sha256>(data, &body);
    body.extend_from_slice(&[0, 10, 9, 0x10]);
    body.extend_from_slice(&key.fingerprint[12..]);
    body.extend_from_slice(&digest[..2]);
    let signature = key.secret.sign(&digest);
    put_mpi(&mut body, signature.r_bytes());
    put_mpi(&mut body, signature.s_bytes());
    let mut packet = vec![0xc2];
    put_length(&mut packet, body.len());
    packet.extend_from_slice(&body);
    packet
}

/// What is really signed: the data, the signature's own head, and a trailer with its length (RFC 4880, 5.2.4).
pub(super) fn digest<D: Digest>(data: &[u8], head: &[u8]) -> Vec<u8> {
    let mut hash = D::new();
    hash.update(data);
    hash.update(head);
    hash.update([4, 0xff]);
    hash.update(u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes());
    hash.finalize().to_vec()
}

/// A packet length of the new format, below 8,384.
pub(super) fn put_length(out: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short) if short < 192 => out.push(short),
        _ => {
            let rest = length.saturating_sub(192);
            out.push(u8::try_from((rest >> 8) + 192).unwrap_or(u8::MAX));
            out.push(u8::try_from(rest & 0xff).unwrap_or(u8::MAX));
        }
    }
}

#[cfg(test)]
mod tests;
