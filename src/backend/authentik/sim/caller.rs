//! Who asks, and what that user may do.

use axum::http::header;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::{self, Refusal};
use super::homelab;
use super::request::Request;
use super::store::{Store, by};

/// What the role of `ops-console` grants.
const OPS: &[&str] = &[
    "authentik_core.view_user",
    "authentik_core.view_group",
    "authentik_core.view_application",
    "authentik_core.view_provider",
    "authentik_core.view_user_applications",
    "authentik_core.view_token",
    "authentik_core.add_user_to_group",
    "authentik_core.remove_user_from_group",
    "authentik_core.change_user",
    "authentik_core.delete_authenticatedsession",
    "authentik_core.view_authenticatedsession",
    "authentik_policies.view_policybinding",
    "authentik_flows.view_flow",
    "authentik_outposts.view_outpost",
    "authentik_stages_invitation.view_invitation",
    "authentik_stages_invitation.add_invitation",
    "authentik_stages_invitation.delete_invitation",
    "authentik_stages_invitation.view_invitationstage",
    "authentik_stages_user_login.view_userloginstage",
    "authentik_flows.view_flowstagebinding",
    "authentik_providers_proxy.view_proxyprovider",
    "authentik_events.view_event",
    "authentik_rbac.view_system_info",
    "authentik_rbac.view_system_settings",
    "authentik_tasks.view_task",
    "authentik_tasks.view_schedule",
    "authentik_blueprints.view_blueprintinstance",
    "authentik_core.reset_user_password",
    "authentik_core.delete_token",
    "authentik_providers_oauth2.view_refreshtoken",
    "authentik_providers_oauth2.view_accesstoken",
    "authentik_providers_oauth2.delete_refreshtoken",
    "authentik_providers_oauth2.delete_accesstoken",
    "authentik_stages_authenticator_webauthn.view_webauthndevice",
    "authentik_stages_authenticator_webauthn.delete_webauthndevice",
    "authentik_stages_authenticator_totp.view_totpdevice",
    "authentik_stages_authenticator_totp.delete_totpdevice",
    "authentik_stages_authenticator_static.view_staticdevice",
    "authentik_stages_authenticator_sms.view_smsdevice",
    "authentik_stages_authenticator_email.view_emaildevice",
    "authentik_stages_authenticator_duo.view_duodevice",
];

/// The key of an account's API token in a lab.
pub fn key(seed: u64, username: &str) -> String {
    let digest = Sha256::digest(format!("{seed} authentik {username}").as_bytes());
    homelab::hex(&digest[..30])
}

/// The user of the token that was shown.
pub struct Caller {
    /// The user.
    pub user: Value,
    /// Whether it may do everything.
    pub superuser: bool,
}

impl Caller {
    /// The caller of a request, or the refusal: 403 in each case, never 401.
    pub fn of(request: &Request, seed: u64, store: &Store, now: Timestamp) -> Result<Self, Refusal> {
        let shown = request.header(header::AUTHORIZATION);
        let bearer = shown.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, shown)) = bearer else {
            return Err(Box::new(answer::detail(403, "Authentication credentials were not provided.")));
        };
        let invalid = || Box::new(answer::detail(403, "Token invalid/expired"));
        let user = store
            .users
            .iter()
            .find(|user| user["username"].as_str().is_some_and(|name| key(seed, name) == shown));
        let user = user.ok_or_else(invalid)?;
        let shown = store.user(user, true);
        let superuser = shown["is_superuser"] == json!(true);
        // The bootstrap token of the first administrator is not listed; every other account needs a live API token.
        let mut tokens =
            store.tokens.iter().filter(|token| token["user"] == user["pk"] && token["intent"] == "api");
        let live = superuser || tokens.any(|token| is_live(token, now));
        if user["is_active"] != json!(true) || !live {
            return Err(invalid());
        }
        Ok(Self { user: shown, superuser })
    }

    /// Its user name.
    pub fn name(&self) -> String {
        self.user["username"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether it has a right.
    pub fn may(&self, right: &str) -> bool {
        self.superuser || (self.user["username"] == "ops-console" && OPS.contains(&right))
    }

    /// `/core/users/me/`: of all rights only those of one application are told.
    pub fn me(&self, store: &Store) -> Value {
        let groups = self.user["groups"].as_array().into_iter().flatten();
        let groups = groups.filter_map(|pk| by(&store.groups, "pk", pk));
        let groups: Vec<Value> =
            groups.map(|group| json!({ "name": group["name"], "pk": group["pk"] })).collect();
        let permissions =
            if self.superuser { json!(["view_system_info", "view_system_settings"]) } else { json!([]) };
        json!({ "user": {
            "pk": self.user["pk"], "username": self.user["username"], "name": self.user["name"], "is_active": true,
            "is_superuser": self.superuser, "groups": groups, "roles": [], "email": self.user["email"],
            "avatar": self.user["avatar"], "uid": self.user["uid"], "settings": {}, "type": self.user["type"],
            "system_permissions": permissions,
        } })
    }
}

fn is_live(token: &Value, now: Timestamp) -> bool {
    let ends = token["expires"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    token["expiring"] != json!(true) || ends.is_none_or(|ends| ends > now)
}
