//! A link with which somebody sets a new password. Whoever has it is that person, so it is shown once and kept nowhere.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;

use crate::backend::authentik::feeds::VIEW_TOKEN;
use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::users::identity;
use crate::backend::authentik::wire::{Recovery, Token, User};
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Reveal, Tier, Verdict};
use crate::model::row::{Tone, natural};
use crate::model::time::{parse_duration, seconds_between, short};

use super::{Stop, message};

/// The operation's name.
pub const NAME: &str = "authentik.recovery-link";
/// The right to make such a link.
const RESET: &str = "authentik_core.reset_user_password";
/// The longest that such a link works, in seconds.
const LONGEST: i64 = 24 * 3600;

/// The lists that it reads.
pub const LOOKS: &[Look] = &[Look { path: "/core/users/", right: "authentik_core.view_user" }];

/// The specification.
pub fn spec() -> OpSpec {
    let form = vec![
        Field::new(
            "expires",
            "works for",
            FieldKind::Duration { max: LONGEST },
            "How long the link works, at most 24h.",
        )
        .default("1h"),
        message::field(),
    ];
    let doc = "Makes a link that logs in as the user and sets a new password; shown once.";
    OpSpec::on(kinds::USERS, NAME, "recovery link", Tier::T2, doc).right(RESET).form(form).reveals()
}

impl Authentik {
    pub(super) fn offer_recovery(&self, op: &OpSpec) -> Vec<Field> {
        let mut form = op.form.clone();
        for field in form.iter_mut().filter(|field| field.name == "language") {
            *field = self.language_field();
        }
        form
    }

    /// The person, if a link for that person may be made at all.
    async fn forgetful(&self, job: &Job) -> Result<(User, i64), Stop> {
        self.check_link()?;
        self.check_language(job)?;
        let (user, pk) = self.person(job).await?;
        let name = user.username.as_str();
        let no = |why: &str| Err(Stop::refused("user", format!("{name} {why}")));
        match () {
            // Whose power cannot be read is taken for a superuser.
            () if user.is_superuser.0 != Some(false) => {
                no("is a superuser: such a link would be the whole server")
            }
            () if user.kind.contains("service_account") => {
                no("is a program, which has no password to forget")
            }
            () if user.is_active.0 != Some(true) => no("is inactive: activate first"),
            () => Ok((user, pk)),
        }
    }

    pub(super) async fn judge_recovery(&self, job: &Job) -> Result<Verdict, Stop> {
        let (user, _) = self.forgetful(job).await?;
        let name = user.username.as_str();
        let works = lifetime(job.arg("expires"))?;
        let effect = format!("whoever has the link is {name} for {}", short(works));
        let verdict = self.portrait(&user, Verdict::allow(effect, identity(&user))).await?;
        let replaces = "a link that was made before stops working";
        let verdict = verdict.and(Decision::Allow, Evidence::new("replaces", replaces, Tone::Text));
        let reminder = "ask by voice whether it is really that person";
        Ok(verdict.and(Decision::Allow, Evidence::new("before", reminder, Tone::Warn)))
    }

    pub(super) async fn make_recovery(&self, job: &Job) -> Result<Receipt, SendError> {
        let (user, pk) = self.forgetful(job).await.map_err(Stop::unsent)?;
        let works = lifetime(job.arg("expires")).map_err(Stop::unsent)?;
        let version = self.version().await.map_err(Stop::blind("version")).map_err(Stop::unsent)?;
        // Until 2026.2 the server decides how long, and takes no body.
        let body = natural(&version.current, "2026.2")
            .is_ge()
            .then(|| json!({ "token_duration": format!("seconds={works}") }));
        let reply =
            self.client.send(Method::POST, &format!("/core/users/{pk}/recovery/"), body, RESET).await?;
        let made: Recovery = reply.json().unwrap_or_default();
        let name = user.username.as_str();
        let Some(secret) = self.public(&made.link) else {
            let said =
                format!("a link for {name} was made, but the answer does not hold it: make another one");
            return Ok(Receipt { said, ..Receipt::default() });
        };
        let until = (self.now() + jiff::SignedDuration::from_secs(works)).strftime("%F %R UTC").to_string();
        let message = self.message(job.arg("language"), &secret, &until, "", name);
        let reveal = Reveal { title: format!("recovery link of {name}"), secret, message };
        Ok(Receipt { remote: None, said: format!("a link for {name} was made"), reveal: Some(reveal) })
    }

    /// The link for people: the server builds it for the host by which it was called.
    fn public(&self, link: &str) -> Option<String> {
        let url = url::Url::parse(link).ok()?;
        let public = self.settings.connection.browser_url().trim_end_matches('/');
        let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
        (url.path().starts_with("/if/flow/") && !query.is_empty())
            .then(|| format!("{public}{}{query}", url.path()))
    }

    pub(super) async fn prove_recovery(&self, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
        let user = self.user(&job.target.id.key).await?;
        let name = user.username.as_str();
        let look = "make another one: it replaces whatever there is";
        let filters = [("user__username", name), ("intent", "recovery")];
        let tokens = match self.tokens(&filters).await {
            Ok(tokens) => tokens,
            Err(error) if error.fault.missing.is_some() => {
                return Ok(Proof::Unclear(format!("seeing it needs {VIEW_TOKEN}"), look.to_owned()));
            }
            Err(error) => return Err(error),
        };
        let own = |token: &&Token| token.user == user.pk && token.intent.as_str() == "recovery";
        let ends = tokens.items.iter().filter(own).filter_map(|token| token.expires.time()).max();
        let left = ends.map(|ends| seconds_between(self.now(), ends)).filter(|left| *left > 0);
        match left {
            Some(left) => Ok(Proof::Seen(format!("a recovery link of {name} works for {}", short(left)))),
            None => Ok(self.weigh(false, format!("no recovery link of {name} is to be seen"), since, look)),
        }
    }
}

fn lifetime(text: &str) -> Result<i64, Stop> {
    let wrong = |why: &str| Stop::refused("works for", format!("`{text}` {why}"));
    let seconds =
        parse_duration(text).ok_or_else(|| wrong("is no duration; write it like 30m or 1h"))?.as_secs();
    match seconds {
        ..=0 => Err(wrong("is no time at all")),
        seconds if seconds > LONGEST => Err(wrong("is more than 24h")),
        seconds => Ok(seconds),
    }
}
