//! The other side of the signatures: makes keys as Omni's tools do, and verifies packets as its library does.
//!
//! Written from RFC 4880 on its own, so that a mistake in the client's signing does not verify itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, SigningKey, Verifier, VerifyingKey};
use serde_json::json;
use sha2::{Digest, Sha256, Sha512};

use crate::backend::omni::key::{ED25519, ServiceKey, fingerprint};
use crate::backend::omni::packet::{Reader, crc24, hex, new_length, packets, padded, put_mpi};
use crate::backend::omni::sign::{put_length, seal};

/// A key pair to be made.
#[derive(Debug, Clone)]
pub(in crate::backend::omni) struct Recipe<'a> {
    /// The account's short name.
    pub name: &'a str,
    /// The secret seed.
    pub seed: [u8; 32],
    /// Unix seconds.
    pub created: u32,
    /// Seconds.
    pub lifetime: u32,
}

impl Recipe<'_> {
    /// The public part of the key packet.
    fn public(&self) -> Vec<u8> {
        let point = SigningKey::from_bytes(&self.seed).verifying_key();
        let mut public = vec![4];
        public.extend_from_slice(&self.created.to_be_bytes());
        public.extend_from_slice(&[22, 9]);
        public.extend_from_slice(&ED25519);
        put_mpi(&mut public, &[&[0x40], point.as_bytes().as_slice()].concat());
        public
    }

    /// What the server keeps of it.
    pub(in crate::backend::omni) fn registered(&self) -> (String, VerifyingKey) {
        (hex(&fingerprint(&self.public())), SigningKey::from_bytes(&self.seed).verifying_key())
    }

    /// The value of `OMNI_SERVICE_ACCOUNT_KEY`.
    pub(in crate::backend::omni) fn account_key(&self) -> String {
        let public = self.public();
        let mut secret = public.clone();
        let mut scalar = Vec::new();
        put_mpi(&mut scalar, &self.seed);
        let sum = scalar.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        secret.push(0);
        secret.extend_from_slice(&scalar);
        secret.extend_from_slice(&sum.to_be_bytes());
        let user = format!("{0} (automation) <{0}@serviceaccount.omni.sidero.dev>", self.name);
        let mut bytes = Vec::new();
        put_packet(&mut bytes, 0xc5, &secret);
        put_packet(&mut bytes, 0xcd, user.as_bytes());
        bytes.extend_from_slice(&self.certification(&public, &user));
        let json = json!({"name": self.name, "pgp_key": armour(&bytes)});
        STANDARD.encode(json.to_string())
    }

    /// The self-signature that binds the user id and the lifetime to the key (type 0x13).
    fn certification(&self, public: &[u8], user: &str) -> Vec<u8> {
        let mut hashed = vec![5, 2];
        hashed.extend_from_slice(&self.created.to_be_bytes());
        hashed.extend_from_slice(&[2, 27, 0x03, 5, 9]);
        hashed.extend_from_slice(&self.lifetime.to_be_bytes());
        let mut data = vec![0x99];
        data.extend_from_slice(&u16::try_from(public.len()).unwrap_or(u16::MAX).to_be_bytes());
        data.extend_from_slice(public);
        data.push(0xb4);
        data.extend_from_slice(&u32::try_from(user.len()).unwrap_or(u32::MAX).to_be_bytes());
        data.extend_from_slice(user.as_bytes());
        let key = ServiceKey {
            name: self.name.to_owned(),
            fingerprint: fingerprint(public),
            expires: None,
            secret: SigningKey::from_bytes(&self.seed),
        };
        seal(&key, 0x13, &data, &hashed)
    }
}

fn put_packet(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.push(tag);
    put_length(out, body.len());
    out.extend_from_slice(body);
}

fn armour(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&str> =
        (0..text.len()).step_by(64).filter_map(|at| text.get(at..(at + 64).min(text.len()))).collect();
    format!(
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{}\n={}\n-----END PGP PRIVATE KEY BLOCK-----",
        lines.join("\n"),
        STANDARD.encode(crc24(bytes))
    )
}

/// The parts of a detached signature.
struct Detached<'a> {
    head: &'a [u8],
    hash: u8,
    created: u32,
    check: &'a [u8],
    signature: Signature,
}

/// Whether a packet is this key's signature over `data`, created no later than `latest` (Unix seconds).
pub(in crate::backend::omni) fn verifies(
    key: &VerifyingKey,
    packet: &[u8],
    data: &[u8],
    latest: i64,
) -> bool {
    let Some(parts) = detached(packet) else { return false };
    let mut signed = data.to_vec();
    signed.extend_from_slice(parts.head);
    signed.extend_from_slice(&[4, 0xff]);
    signed.extend_from_slice(&u32::try_from(parts.head.len()).unwrap_or(0).to_be_bytes());
    let digest = match parts.hash {
        8 => Sha256::digest(&signed).to_vec(),
        10 => Sha512::digest(&signed).to_vec(),
        _ => return false,
    };
    digest.starts_with(parts.check)
        && i64::from(parts.created) <= latest
        && key.verify(&digest, &parts.signature).is_ok()
}

fn detached(packet: &[u8]) -> Option<Detached<'_>> {
    let found = packets(packet).ok()?;
    let [(2, body)] = found.as_slice() else { return None };
    let mut reader = Reader(body);
    let [4, 0, 22, hash] = *reader.take(4).ok()? else { return None };
    let length = reader.u16().ok()?;
    let hashed = reader.take(usize::from(length)).ok()?;
    let head = body.get(..body.len() - reader.0.len())?;
    let length = reader.u16().ok()?;
    reader.take(usize::from(length)).ok()?;
    let check = reader.take(2).ok()?;
    let (r, s) = (padded(reader.mpi().ok()?)?, padded(reader.mpi().ok()?)?);
    let signature = Signature::from_components(r, s);
    reader.0.is_empty().then_some(Detached { head, hash, created: created(hashed)?, check, signature })
}

fn created(hashed: &[u8]) -> Option<u32> {
    let mut reader = Reader(hashed);
    while !reader.0.is_empty() {
        let length = new_length(&mut reader).ok()?;
        let (kind, body) = reader.take(length).ok()?.split_first()?;
        if kind & 0x7f == 2 {
            return Reader(body).u32().ok();
        }
    }
    None
}
