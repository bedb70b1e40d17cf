//! A service account key as Omni prints it: base64 of JSON that holds an armoured OpenPGP key.
//!
//! Omni makes unencrypted version 4 keys of the legacy `EdDSA` algorithm on Ed25519. Exactly those are read, and
//! every other key is refused with the reason: a key that cannot sign would only show as "invalid signature".

use std::fmt;

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use serde::Deserialize;
use sha1::{Digest, Sha1};
use thiserror::Error;

use super::packet::{self, Broken, Packet, Reader, new_length};

/// Ed25519 as OpenPGP's legacy `EdDSA` names the curve.
pub(super) const ED25519: [u8; 9] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
/// The legacy `EdDSA` algorithm.
pub(super) const EDDSA: u8 = 22;

const SECRET_KEY: u8 = 5;
const PUBLIC_KEY: u8 = 6;
const SIGNATURE: u8 = 2;
const USER_ID: u8 = 13;

/// Why a key cannot be used: one line that ends with the cure; never holds any part of the key.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum KeyError {
    /// The outer layer.
    #[error("the Omni key is not base64: copy the whole OMNI_SERVICE_ACCOUNT_KEY, on one line")]
    NotBase64,
    /// The layer below it.
    #[error("the Omni key is not a service account key: use what `omnictl serviceaccount create` prints")]
    NotAnAccount,
    /// The OpenPGP layer.
    #[error(
        "the Omni key is damaged ({0}): copy it again, or make a new one with `omnictl serviceaccount renew`"
    )]
    Damaged(Broken),
    /// Only the public half.
    #[error(
        "the Omni key holds no secret half: use the private key that `omnictl serviceaccount create` prints"
    )]
    NoSecret,
    /// A passphrase.
    #[error(
        "the Omni key is encrypted: export it without a passphrase, or let `omnictl serviceaccount create` make one"
    )]
    Encrypted,
    /// RSA, X25519, version 6 …
    #[error("the Omni key is {0}, not Ed25519: let `omnictl serviceaccount create` make one")]
    NotEd25519(String),
}

/// A key that can sign, and what is known of it.
#[derive(Clone)]
pub(super) struct ServiceKey {
    /// The account's short name.
    pub name: String,
    /// The version 4 fingerprint, by which the server finds the key.
    pub fingerprint: [u8; 20],
    /// When the key says that it ends; the server's own record decides.
    pub expires: Option<Timestamp>,
    /// The secret half.
    pub secret: SigningKey,
}

impl fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceKey({}, {})", self.name, self.fingerprint_hex())
    }
}

#[derive(Deserialize)]
struct Account {
    name: String,
    pgp_key: String,
}

impl ServiceKey {
    /// Reads the value of `OMNI_SERVICE_ACCOUNT_KEY`.
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let compact: String = text.split_whitespace().collect();
        let json = packet::decode(&compact).ok_or(KeyError::NotBase64)?;
        let account: Account = serde_json::from_slice(&json).map_err(|_| KeyError::NotAnAccount)?;
        if account.name.is_empty() || account.name.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(KeyError::NotAnAccount);
        }
        let bytes = packet::dearmour(&account.pgp_key).map_err(KeyError::Damaged)?;
        let packets = packet::packets(&bytes).map_err(KeyError::Damaged)?;
        let (public, secret) = match packets.first() {
            Some((SECRET_KEY, body)) => secret_half(body)?,
            Some((PUBLIC_KEY, _)) => return Err(KeyError::NoSecret),
            _ => return Err(KeyError::Damaged("it does not begin with a key")),
        };
        let created = Reader(public.get(1..).unwrap_or_default()).u32().map_err(KeyError::Damaged)?;
        let expires = lifetime(&packets)
            .and_then(|seconds| Timestamp::from_second(i64::from(created) + i64::from(seconds)).ok());
        Ok(Self { name: account.name, fingerprint: fingerprint(public), expires, secret })
    }

    /// The fingerprint as Omni writes it: 40 lower-case hex digits.
    pub(super) fn fingerprint_hex(&self) -> String {
        packet::hex(&self.fingerprint)
    }
}

/// Splits a secret key packet into its public part and the checked secret.
fn secret_half(body: &[u8]) -> Result<(&[u8], SigningKey), KeyError> {
    let mut reader = Reader(body);
    let version = reader.byte().map_err(KeyError::Damaged)?;
    if version != 4 {
        return Err(KeyError::NotEd25519(format!("an OpenPGP version {version} key")));
    }
    reader.u32().map_err(KeyError::Damaged)?;
    let algorithm = reader.byte().map_err(KeyError::Damaged)?;
    if algorithm != EDDSA {
        return Err(KeyError::NotEd25519(algorithm_name(algorithm)));
    }
    let size = reader.byte().map_err(KeyError::Damaged)?;
    if reader.take(usize::from(size)).map_err(KeyError::Damaged)? != ED25519 {
        return Err(KeyError::NotEd25519("on another curve".to_owned()));
    }
    let point = reader.mpi().map_err(KeyError::Damaged)?;
    let public = body.get(..body.len() - reader.0.len()).unwrap_or_default();
    let secret = unprotected(&mut reader)?;
    let matches = point.split_first().is_some_and(|(form, rest)| {
        *form == 0x40 && packet::padded(rest).as_ref() == Some(secret.verifying_key().as_bytes())
    });
    if matches { Ok((public, secret)) } else { Err(KeyError::Damaged("its halves do not belong together")) }
}

/// Reads the secret scalar behind a zero protection octet and its checksum.
fn unprotected(reader: &mut Reader<'_>) -> Result<SigningKey, KeyError> {
    if reader.byte().map_err(KeyError::Damaged)? != 0 {
        return Err(KeyError::Encrypted);
    }
    let before = reader.0;
    let scalar = reader.mpi().map_err(KeyError::Damaged)?;
    let summed = before.get(..before.len() - reader.0.len()).unwrap_or_default();
    let sum = summed.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    if reader.u16().map_err(KeyError::Damaged)? != sum {
        return Err(KeyError::Damaged("its checksum does not match"));
    }
    let seed = packet::padded(scalar).ok_or(KeyError::Damaged("its secret is too long"))?;
    Ok(SigningKey::from_bytes(&seed))
}

fn algorithm_name(algorithm: u8) -> String {
    match algorithm {
        1..=3 => "RSA".to_owned(),
        16 | 20 => "ElGamal".to_owned(),
        17 => "DSA".to_owned(),
        18 => "ECDH".to_owned(),
        19 => "ECDSA".to_owned(),
        25 | 26 => "X25519 or X448".to_owned(),
        27 => "of the new Ed25519 format, which Omni does not make".to_owned(),
        28 => "Ed448".to_owned(),
        other => format!("of algorithm {other}"),
    }
}

/// SHA-1 over the public part, framed as RFC 4880, 12.2 says.
pub(super) fn fingerprint(public: &[u8]) -> [u8; 20] {
    let length = u16::try_from(public.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut hash = Sha1::new();
    hash.update([0x99]);
    hash.update(length);
    hash.update(public);
    hash.finalize().into()
}

/// The key's lifetime in seconds: subpacket 9 of the first self-signature behind a user id.
fn lifetime(packets: &[Packet<'_>]) -> Option<u32> {
    let user = packets.iter().position(|(tag, _)| *tag == USER_ID)?;
    let (_, signature) = packets.get(user..)?.iter().find(|(tag, _)| *tag == SIGNATURE)?;
    let mut reader = Reader(signature);
    reader.take(4).ok()?;
    let length = reader.u16().ok()?;
    let mut hashed = Reader(reader.take(usize::from(length)).ok()?);
    while !hashed.0.is_empty() {
        let length = new_length(&mut hashed).ok()?;
        let (kind, body) = hashed.take(length).ok()?.split_first()?;
        // The high bit only says that the subpacket is critical.
        if kind & 0x7f == 9 {
            return Reader(body).u32().ok().filter(|seconds| *seconds > 0);
        }
    }
    None
}
