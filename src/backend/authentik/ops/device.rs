//! Deleting one device of one person, found by type and number and compared with what was shown: numbers repeat
//! between types, and the server takes any of them.

use jiff::Timestamp;
use reqwest::Method;

use crate::backend::authentik::client::Ask;
use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::devices::{Factor, TYPES, count, identity};
use crate::backend::authentik::wire::{OwnDevice, User};
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, OpSpec, Tier, Verb, Verdict};
use crate::model::row::Tone;

use super::Stop;

/// The operation's name.
pub const NAME: &str = "authentik.delete-device";

/// The lists that it reads.
pub const LOOKS: &[Look] = &[
    Look { path: "/core/users/", right: "authentik_core.view_user" },
    Look { path: "/authenticators/admin/webauthn/", right: TYPES[0].view },
];

/// The specification: one device at a time, never several.
pub fn spec() -> OpSpec {
    let doc = "Deletes one passkey or second factor, never the last one of a person.";
    OpSpec::on(kinds::DEVICES, NAME, "delete device", Tier::T2, doc).right(TYPES[0].delete).verb(Verb::End)
}

impl Authentik {
    /// The device and its owner as the server has them now, if it may be deleted.
    async fn doomed(&self, job: &Job) -> Result<(Factor, User), Stop> {
        let factor = self.device(&job.target.id.key).await.map_err(Stop::blind("device"))?;
        let (device, frozen) = (&factor.device, &job.target.identity);
        let owner = device.user.pk.0.ok_or_else(|| Stop::refused("owner", "is not told"))?;
        let now = identity(&factor);
        if let Some(conflict) = frozen.conflicts(&now).first() {
            let why = format!("its {} is {} now, not {}", conflict.fact, conflict.now, conflict.frozen);
            return Err(Stop::refused("device", why));
        }
        if *job.target.name != *format!("{}/{}", device.user.username.as_str(), device.name.as_str()) {
            return Err(Stop::refused(
                "device",
                format!("it is {} of {} now", device.name.as_str(), device.user.username.as_str()),
            ));
        }
        let user = self.user(&owner.to_string()).await.map_err(Stop::blind("owner"))?;
        let name = user.username.as_str();
        if name != device.user.username.as_str() {
            return Err(Stop::refused("owner", format!("number {owner} is {name} now")));
        }
        if user.is_superuser.0 != Some(false) {
            return Err(Stop::refused(
                "owner",
                format!("{name} is a superuser: that is decided in Authentik itself"),
            ));
        }
        let me = self.me().await.map_err(Stop::blind("caller"))?;
        if me.pk.0 == Some(owner) {
            return Err(Stop::refused("owner", format!("{name} is who vigie itself asks as")));
        }
        self.not_the_last(&factor, owner, name).await?;
        Ok((factor, user))
    }

    /// Whether the owner keeps another factor; counted by both lists that there are, which must agree.
    async fn not_the_last(&self, factor: &Factor, owner: i64, name: &str) -> Result<(), Stop> {
        if !factor.counts() {
            return Ok(());
        }
        let (factors, gaps) = self.factors().await.map_err(Stop::blind("devices"))?;
        if !gaps.is_empty() {
            return Err(Stop::Blind {
                what: "devices",
                error: crate::backend::authentik::find::incomplete(&gaps),
            });
        }
        let pk = owner.to_string();
        let filter = [("user", pk.as_str())];
        let ask = Ask::new("/authenticators/admin/all/", TYPES[0].view).filtered(&filter);
        let own: Vec<OwnDevice> = self.client.array(&ask).await.map_err(Stop::blind("devices"))?;
        let known =
            |device: &&OwnDevice| !device.kind.ends_with("StaticDevice") && device.confirmed.0 != Some(false);
        let (walked, told) =
            (count(&factors).get(&owner).copied().unwrap_or(0), own.iter().filter(known).count());
        match walked.min(told) {
            0 | 1 => {
                Err(Stop::refused("device", format!("{name} has no other: give a recovery link instead")))
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn judge_device(&self, job: &Job) -> Result<Verdict, Stop> {
        let (factor, user) = self.doomed(job).await?;
        let (device, name) = (&factor.device, user.username.as_str());
        let effect = format!(
            "{name} cannot log in with {} any more; it has to be registered anew",
            device.name.as_str()
        );
        let verdict = self.portrait(&user, Verdict::allow(effect, identity(&factor))).await?;
        let fact = |what: &str, says: &str| Evidence::new(what, says, Tone::Text);
        let id = format!("{} number {}", factor.kind.word, device.pk.or_zero());
        let verdict =
            verdict.and(Decision::Allow, fact("device", &format!("{} ({id})", device.name.as_str())));
        let verdict = match device.created_on.time() {
            Some(at) => verdict.and(Decision::Allow, fact("registered", &at.strftime("%F").to_string())),
            None => verdict,
        };
        let trail = "the server keeps who deleted it, not whose it was: the journal here does";
        Ok(verdict.and(Decision::Allow, Evidence::new("trail", trail, Tone::Dim)))
    }

    pub(super) async fn delete_device(&self, job: &Job) -> Result<Receipt, SendError> {
        let (factor, user) = self.doomed(job).await.map_err(Stop::unsent)?;
        let (device, kind) = (&factor.device, factor.kind);
        let path = format!("/authenticators/admin/{}/{}/", kind.path, device.pk.or_zero());
        self.client.send(Method::DELETE, &path, None, kind.delete).await?;
        self.known().forget_factors();
        let made =
            device.created_on.time().map(|at| at.strftime(", registered %F").to_string()).unwrap_or_default();
        let said = format!(
            "{} {} of {} (number {}), model {}{made}, was deleted",
            kind.word,
            device.name.as_str(),
            user.username.as_str(),
            user.pk.or_zero(),
            device.aaguid.some().unwrap_or("unknown")
        );
        Ok(Receipt { said, ..Receipt::default() })
    }

    pub(super) async fn prove_device(&self, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
        let name = &job.target.name;
        let there = match self.device(&job.target.id.key).await {
            // A number that somebody else has now is gone as well.
            Ok(factor) => job.target.identity.conflicts(&identity(&factor)).is_empty(),
            Err(error) if error.fault.status == Some(404) => false,
            Err(error) => return Err(error),
        };
        let says = if there {
            format!("{name} is still there")
        } else {
            format!("{name} is gone: the server answers 404")
        };
        Ok(self.weigh(!there, says, since, "look at the devices of the user"))
    }
}
