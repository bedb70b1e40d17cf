//! Questions.

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{self, Refusal};
use super::caller::Caller;
use super::ledger;
use super::list::{Filter, filtered, page};
use super::request::Request;
use super::store::{Store, by};
use super::{Lab, homelab};

/// What tokens are for.
const INTENTS: &[&str] = &["verification", "api", "recovery", "app_password"];

/// A list: its right, its filters, and its rows as the API shows them.
pub(super) struct Listing {
    pub right: &'static str,
    pub filters: &'static [Filter],
    pub rows: fn(&Lab, &Store, &Request) -> Vec<Value>,
}

const GROUPS: Listing = Listing {
    right: "authentik_core.view_group",
    filters: &[
        Filter::Exact("name", "name"),
        Filter::Flag("is_superuser", "is_superuser"),
        Filter::Search(&["name"]),
    ],
    rows: |lab, store, request| {
        let with_users = request.switch("include_users", true);
        store.all_groups(with_users, lab.modern())
    },
};

const INVITATIONS: Listing = Listing {
    right: "authentik_stages_invitation.view_invitation",
    filters: &[
        Filter::Exact("name", "name"),
        Filter::Exact("created_by__username", "created_by.username"),
        Filter::Exact("flow__slug", "flow_obj.slug"),
        Filter::Search(&["name"]),
    ],
    rows: |_, store, _| {
        let mut rows: Vec<Value> = store.invitations.iter().map(|row| store.invitation(row)).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row["expires"].as_str().unwrap_or_default().to_owned()));
        rows
    },
};

const FLOWS: Listing = Listing {
    right: "authentik_flows.view_flow",
    filters: &[
        Filter::Exact("slug", "slug"),
        Filter::Exact("designation", "designation"),
        Filter::Search(&["name", "slug"]),
    ],
    rows: |_, store, _| store.flows.clone(),
};

const BINDINGS: Listing = Listing {
    right: "authentik_policies.view_policybinding",
    filters: &[
        Filter::Exact("target", "target"),
        Filter::Exact("policy", "policy"),
        Filter::Flag("enabled", "enabled"),
        Filter::Exact("order", "order"),
    ],
    rows: |_, store, _| store.bindings.iter().map(|row| store.binding(row)).collect(),
};

const PROVIDERS: Listing = Listing {
    right: "authentik_core.view_provider",
    filters: &[Filter::Search(&["name"])],
    rows: |_, store, _| store.providers.clone(),
};

const OUTPOSTS: Listing = Listing {
    right: "authentik_outposts.view_outpost",
    filters: &[
        Filter::Exact("name__iexact", "name"),
        Filter::Exact("managed__iexact", "managed"),
        Filter::Search(&["name"]),
    ],
    rows: |_, store, _| store.outposts.iter().map(|row| store.outpost(row)).collect(),
};

const TOKENS: Listing = Listing {
    right: "authentik_core.view_token",
    filters: &[
        Filter::Exact("identifier", "identifier"),
        Filter::OneOf("intent", "intent", INTENTS),
        Filter::Exact("user__username", "user_obj.username"),
        Filter::Flag("expiring", "expiring"),
        Filter::Search(&["identifier", "description"]),
    ],
    rows: |_, store, _| store.tokens.iter().map(|row| store.token(row)).collect(),
};

const SESSIONS: Listing = Listing {
    right: "authentik_core.view_authenticatedsession",
    filters: &[
        Filter::Exact("user__username", "user_obj.username"),
        Filter::Exact("session__last_ip", "last_ip"),
        Filter::Search(&["user_obj.username", "last_ip"]),
    ],
    rows: |_, store, _| store.sessions.iter().map(|row| store.session(row)).collect(),
};

impl Lab {
    pub(super) fn read(&self, path: &str, request: &Request, caller: &Caller) -> Response {
        match path {
            "/core/users/me/" => answer::json(200, &caller.me(&self.store())),
            "/admin/system/" if !caller.may("authentik_rbac.view_system_info") => answer::forbidden(),
            "/admin/system/" => self.system(request),
            "/admin/settings/" if !caller.may("authentik_rbac.view_system_settings") => answer::forbidden(),
            "/admin/settings/" => self.settings(),
            "/admin/version/" => self.version_answer(),
            "/core/users/" => self.users(request, caller),
            "/core/groups/" => self.listing(&GROUPS, request, caller),
            "/core/applications/" => self.applications(request, caller),
            "/core/authenticated_sessions/" => self.listing(&SESSIONS, request, caller),
            "/core/tokens/" => self.listing(&TOKENS, request, caller),
            "/stages/invitation/invitations/" => self.listing(&INVITATIONS, request, caller),
            "/flows/instances/" => self.listing(&FLOWS, request, caller),
            "/policies/bindings/" => self.listing(&BINDINGS, request, caller),
            "/providers/all/" => self.listing(&PROVIDERS, request, caller),
            "/outposts/instances/" => self.listing(&OUTPOSTS, request, caller),
            _ => match ledger::of(path, self.modern_tasks()) {
                Some(ledger::Answer::List(listing)) => self.listing(listing, request, caller),
                Some(ledger::Answer::Array(right, array)) if caller.may(right) => {
                    answer::json(200, &array(self, &self.store(), request))
                }
                Some(ledger::Answer::Array(..)) => answer::forbidden(),
                None => self.object(path, request, caller),
            },
        }
    }

    pub(super) fn listing(&self, listing: &Listing, request: &Request, caller: &Caller) -> Response {
        // Whoever owns tokens or sessions sees those; every other list is refused as a whole.
        let owned = [TOKENS.right, SESSIONS.right].contains(&listing.right);
        let own = owned && !caller.may(listing.right);
        if !own && !caller.may(listing.right) {
            return answer::forbidden();
        }
        let mut rows = (listing.rows)(self, &self.store(), request);
        if own {
            rows.retain(|row| row["user"] == caller.user["pk"]);
        }
        match filtered(rows, listing.filters, request) {
            Ok(rows) => page(&rows, request, self.modern(), |row| Some(row.clone())),
            Err(refusal) => *refusal,
        }
    }

    /// The full list is a superuser's; to others the page loses what they may not open, and the count does not.
    fn applications(&self, request: &Request, caller: &Caller) -> Response {
        let store = self.store();
        let full = caller.superuser && request.switch("superuser_full_list", false);
        // Somebody else's list is a right of its own; whoever lacks it is told that there is no such user.
        let user = match request.param("for_user").map(|pk| pk.parse::<i64>().ok()) {
            None => caller.user.clone(),
            Some(pk) => {
                let known = pk.and_then(|pk| by(&store.users, "pk", &json!(pk)));
                match known.filter(|_| caller.may("authentik_core.view_user_applications")) {
                    Some(user) => user.clone(),
                    None => return answer::json(400, &json!({ "for_user": "User not found" })),
                }
            }
        };
        let mut rows: Vec<Value> = store.applications.iter().map(|row| store.application(row)).collect();
        rows.sort_by_key(|row| row["name"].as_str().unwrap_or_default().to_owned());
        page(&rows, request, self.modern(), |row| {
            (full || store.may_open(&user, row, self.is_shut())).then(|| row.clone())
        })
    }

    fn object(&self, path: &str, request: &Request, caller: &Caller) -> Response {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if !path.ends_with('/') {
            return answer::no_such_path();
        }
        let store = self.store();
        let shown = |list: &[Value], field: &str, value: Value, right: &str, model: &str| {
            if !caller.may(right) {
                return Err(Box::new(answer::forbidden()));
            }
            by(list, field, &value).cloned().ok_or_else(|| Box::new(answer::absent(model)))
        };
        let found = match parts.as_slice() {
            ["core", "users", pk] => {
                let pk = pk.parse::<i64>().map_or(Value::Null, Value::from);
                shown(&store.users, "pk", pk, super::users::RIGHT, "User").map(|user| store.user(&user, true))
            }
            ["core", "groups", pk] => shown(&store.groups, "pk", json!(pk), GROUPS.right, "Group")
                .map(|group| store.group(&group, request.switch("include_users", true), self.modern())),
            ["core", "applications", slug] => {
                let right = "authentik_core.view_application";
                shown(&store.applications, "slug", json!(slug), right, "Application")
                    .map(|row| store.application(&row))
            }
            ["stages", "invitation", "invitations", pk] => {
                shown(&store.invitations, "pk", json!(pk), INVITATIONS.right, "Invitation")
                    .map(|row| store.invitation(&row))
            }
            ["outposts", "instances", pk] => {
                shown(&store.outposts, "pk", json!(pk), OUTPOSTS.right, "Outpost")
                    .map(|row| store.outpost(&row))
            }
            ["core", "tokens", identifier] => {
                shown(&store.tokens, "identifier", json!(identifier), TOKENS.right, "Token")
                    .map(|row| store.token(&row))
            }
            ["core", "authenticated_sessions", uuid] => {
                shown(&store.sessions, "uuid", json!(uuid), SESSIONS.right, "AuthenticatedSession")
                    .map(|row| store.session(&row))
            }
            ["authenticators", "admin", kind, pk] => {
                let Some(kind) = ledger::kind_of(kind) else { return answer::no_such_path() };
                let list = store.devices.get(kind.path).map_or(&[][..], Vec::as_slice);
                let pk = pk.parse::<i64>().map_or(Value::Null, Value::from);
                shown(list, "pk", pk, kind.view, "Device").map(|row| store.device(&row))
            }
            ["events", "events", pk] => {
                shown(&store.events, "pk", json!(pk), "authentik_events.view_event", "Event")
            }
            ["outposts", "instances", pk, "health"] => {
                shown(&store.outposts, "pk", json!(pk), OUTPOSTS.right, "Outpost").map(|_| self.instances())
            }
            _ => return answer::no_such_path(),
        };
        found.map_or_else(|refusal: Refusal| *refusal, |object| answer::json(200, &object))
    }

    /// Instances say hello every 10 s; while the outpost is down none is remembered.
    fn instances(&self) -> Value {
        let gate = self.world.get("authentik-outpost");
        if self.world.scenario == "outpost-down" && self.world.get("outpost") != "restarted" || gate == "down"
        {
            return json!([]);
        }
        let hello = self.now().as_second().rem_euclid(10);
        json!([{
            "uid": homelab::id("instance", "proxy"), "last_seen": homelab::at(self.now(), -hello),
            "version": self.version, "golang_version": "go1.25.5", "openssl_enabled": true,
            "openssl_version": "OpenSSL 3.5.4", "fips_enabled": null, "version_should": self.version,
            "version_outdated": false, "build_hash": "", "build_hash_should": "", "hostname": "oci-mgmt",
        }])
    }

    /// The server's view of the request, every header of it included.
    fn system(&self, request: &Request) -> Response {
        let token = request.header(axum::http::header::AUTHORIZATION);
        let secure = self.world.get("authentik-proxy") != "untrusted";
        answer::json(
            200,
            &json!({
                "http_headers": { "HTTP_AUTHORIZATION": token, "HTTP_HOST": super::HOST }, "http_host": super::HOST,
                "http_is_secure": secure, "server_time": homelab::at(self.now(), 0), "embedded_outpost_disabled": false,
            }),
        )
    }

    /// From 2026.5 a tenant may shut what has no binding.
    fn is_shut(&self) -> bool {
        self.modern_tasks() && self.world.get("authentik-default-access") == "off"
    }

    fn settings(&self) -> Response {
        let flags = if self.modern_tasks() {
            json!({ "core_default_app_access": !self.is_shut() })
        } else {
            json!({})
        };
        answer::json(
            200,
            &json!({ "default_token_duration": "minutes=30", "event_retention": "days=365", "flags": flags }),
        )
    }

    /// With the update check off, as it is here, the newest release is not known.
    fn version_answer(&self) -> Response {
        answer::json(
            200,
            &json!({
                "version_current": self.version, "version_latest": "0.0.0", "version_latest_valid": false,
                "build_hash": "", "outdated": false, "outpost_outdated": false,
            }),
        )
    }
}
