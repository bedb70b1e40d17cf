//! What opens doors without a person at the screen: tokens, accounts of programs, devices.

use crate::model::kind::{Column, Format, KindSpec, Width};

use super::{DEVICES, SERVICE_ACCOUNTS, TOKENS, kind, name, state, wide};

pub(super) fn tokens() -> KindSpec {
    let columns = vec![
        state(10, "ok, expiring, expired, or system (an outpost's own)."),
        name(10, 36, "The identifier, by which the server knows it; its key is never read."),
        Column::new("user", "user", Width::Fit(6, 24), "Whose it is.").priority(1),
        Column::new("intent", "intent", Width::Fit(3, 12), "api, app password, recovery or verification.")
            .priority(2),
        Column::new(
            "power",
            "power",
            Width::Fixed(9),
            "What its owner may do; a token cannot be given less.",
        )
        .priority(2),
        Column::new(
            "expires",
            "expires",
            Width::Fixed(7),
            "Time until it ends; the server then swaps an API key.",
        )
        .format(Format::Until)
        .priority(0),
        Column::new("note", "note", Width::Flex(10), "What follows from it.").priority(3),
        wide("description", "description", Width::Fit(8, 32), "What its owner says it is for."),
    ];
    let doc = "Tokens and when they end; their keys are never read.";
    KindSpec { columns, sort: (5, false), ..kind(TOKENS, "token", &["token"], doc) }
}

pub(super) fn service_accounts() -> KindSpec {
    let columns = vec![
        state(12, "ok, expiring, expired, superuser, no token, inactive, missing, or unexpected."),
        name(8, 32, "The user name."),
        Column::new("tokens", "tokens", Width::Fixed(6), "How many tokens it has.")
            .format(Format::Count)
            .priority(1),
        Column::new("expires", "expires", Width::Fixed(7), "Time until its next token ends.")
            .format(Format::Until)
            .priority(0),
        Column::new("groups", "groups", Width::Flex(10), "The groups it is in.").priority(4),
        Column::new("admin", "admin", Width::Fixed(5), "Whether it may do everything (superuser).")
            .format(Format::Flag)
            .priority(3),
        Column::new("login", "login", Width::Fixed(6), "Since its last login; tokens do not count as one.")
            .format(Format::Age)
            .priority(3),
        Column::new("note", "note", Width::Flex(24), "What follows from it.").priority(2),
    ];
    let doc = "Accounts of programs, with their tokens, and those that are expected.";
    let aliases = ["service-account", "sa", "accounts"];
    KindSpec { columns, sort: (1, false), ..kind(SERVICE_ACCOUNTS, "service account", &aliases, doc) }
}

pub(super) fn devices() -> KindSpec {
    let columns = vec![
        state(9, "ok, or last where its owner has no other."),
        name(8, 28, "The name its owner gave it."),
        Column::new("user", "user", Width::Fit(6, 24), "Whose it is.").priority(0),
        Column::new("type", "type", Width::Fit(5, 9), "passkey, totp, codes, sms, email or duo.").priority(1),
        Column::new(
            "model",
            "model",
            Width::Flex(10),
            "What kind of authenticator it is, where it is known.",
        )
        .priority(3),
        Column::new("created", "created", Width::Fixed(7), "Since it was registered.")
            .format(Format::Age)
            .priority(2),
        wide("aaguid", "aaguid", Width::Fit(8, 36), "The authenticator's model in numbers."),
        wide("id", "id", Width::Fit(4, 14), "Its type and number; numbers repeat between types."),
    ];
    let doc = "Passkeys and other second factors, with their owners.";
    let aliases = ["device", "passkey", "passkeys", "mfa"];
    KindSpec { columns, sort: (2, false), ..kind(DEVICES, "device", &aliases, doc) }
}
