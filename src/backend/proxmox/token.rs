//! The API token: what it looks like, and which part of a wrong one is missing.

use crate::backend::error::ApiError;
use crate::model::snapshot::Layer;

/// Who a token is, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `user@realm`.
    pub user: String,
    /// The token's own name.
    pub token: String,
}

/// Checks `USER@REALM!TOKENID=UUID`; the error names the missing part and never the secret.
pub fn check(text: &str) -> Result<Owner, ApiError> {
    let wrong = |what: &str| {
        ApiError::new(Layer::Config, format!("the API token {what}")).hint(
            "write it like USER@REALM!TOKENID=UUID; Proxmox shows the UUID once, when the token is made",
        )
    };
    let text = text.trim();
    let Some((user, rest)) = text.split_once('!') else {
        return Err(wrong("has no `!TOKENID` after the user"));
    };
    let Some((name, realm)) = user.rsplit_once('@') else {
        return Err(wrong("has no `@REALM` after the user"));
    };
    let Some((token, secret)) = rest.split_once('=') else {
        return Err(wrong("has no `=UUID` at its end: the secret is missing"));
    };
    if name.is_empty() || realm.is_empty() || text.contains(char::is_whitespace) {
        return Err(wrong("has an empty user or realm, or a space in it"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !token.starts_with(|c: char| c.is_ascii_alphabetic()) || !token.chars().all(plain) {
        return Err(wrong("has no usable TOKENID: a letter first, then letters, digits, `.`, `_`, `-`"));
    }
    if secret.len() != 36 || !secret.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return Err(wrong("does not end in a UUID of 36 characters"));
    }
    Ok(Owner { user: user.to_owned(), token: token.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "8a9f2c1e-0000-4000-8000-000000000001";

    #[test]
    fn a_whole_token_names_its_owner() {
        let owner = check(&format!("vigie@pve!console={SECRET}\n")).unwrap();
        assert_eq!((owner.user.as_str(), owner.token.as_str()), ("vigie@pve", "console"));
    }

    #[test]
    fn the_missing_part_is_named_and_the_secret_is_not() {
        for (text, part) in [
            (format!("vigie@pve={SECRET}"), "!TOKENID"),
            (format!("vigie!console={SECRET}"), "@REALM"),
            ("vigie@pve!console".to_owned(), "=UUID"),
            (format!("@pve!console={SECRET}"), "empty user"),
            (format!("vigie@pve!1={SECRET}"), "TOKENID"),
            (format!("vigie@pve!console={SECRET}0"), "36 characters"),
        ] {
            let error = check(&text).unwrap_err();
            assert!(error.fault.what.contains(part), "{text}: {error}");
            assert!(!format!("{error:?}").contains("8a9f2c1e"), "{error:?}");
        }
    }
}
