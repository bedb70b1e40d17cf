//! An invitation's primary key opens it, so it is never an id here: everything that is listed, logged or journalled
//! names an invitation by a digest of the key.

use sha2::{Digest, Sha256};

/// The name of an invitation that gives nothing away: 64 bits of the SHA-256 of its key.
pub fn seal(pk: &str) -> String {
    hex(&Sha256::digest(pk.as_bytes())[..8])
}

/// A key with its dashes, as links hold it; in events it stands without.
pub fn dashed(hex: &str) -> String {
    let plain: String = hex.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    if plain.len() != 32 {
        return hex.to_owned();
    }
    format!("{}-{}-{}-{}-{}", &plain[..8], &plain[8..12], &plain[12..16], &plain[16..20], &plain[20..])
}

/// The part of an invitation's name that makes it unique, the same for every look at one run.
pub fn suffix(run: &str) -> String {
    hex(&Sha256::digest(run.as_bytes())[..3])
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_shows_nothing_of_the_key_and_tells_keys_apart() {
        let keys = ["589cd7ae-498b-4232-aa39-627816a56107", "589cd7ae-498b-4232-aa39-627816a56108"];
        let seals = keys.map(seal);
        assert_ne!(seals[0], seals[1]);
        assert!(seals.iter().all(|seal| seal.len() == 16 && !keys[0].contains(&seal[..4])));
    }
}
