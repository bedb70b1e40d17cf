//! What may be done. Each operation works out its whole plan from exact ids before it is confirmed, and again just
//! before it is sent, so that what is sent is what was judged.

mod device;
mod invite;
mod label;
mod membership;
mod message;
pub(super) mod offboard;
mod person;
mod recovery;
mod reissue;
mod revoke;
mod rotate;
mod session;
mod standing;

use jiff::Timestamp;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Field, Job, OpSpec, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::Authentik;
use super::rights::Look;

/// All operations.
pub fn all() -> Vec<OpSpec> {
    let mut all = vec![invite::spec(), revoke::spec()];
    all.extend(membership::specs());
    all.extend(standing::specs());
    all.extend([
        reissue::spec(),
        recovery::spec(),
        device::spec(),
        session::spec(),
        rotate::spec(),
        offboard::spec(),
    ]);
    all
}

pub(super) use label::slug;

/// The lists that each operation has to read.
pub fn looks() -> [(&'static str, &'static [Look]); 13] {
    [
        (invite::NAME, invite::LOOKS),
        (revoke::NAME, revoke::LOOKS),
        (membership::ADD, membership::LOOKS),
        (membership::REMOVE, membership::LOOKS),
        (standing::DEACTIVATE, standing::LOOKS),
        (standing::ACTIVATE, standing::LOOKS),
        (standing::END_SESSIONS, standing::LOOKS),
        (reissue::NAME, reissue::LOOKS),
        (recovery::NAME, recovery::LOOKS),
        (device::NAME, device::LOOKS),
        (session::NAME, session::LOOKS),
        (rotate::NAME, rotate::LOOKS),
        (offboard::NAME, offboard::LOOKS),
    ]
}

/// Why an operation is not sent.
#[derive(Debug)]
pub enum Stop {
    /// It must not be.
    Refused {
        /// What was looked at.
        what: &'static str,
        /// What speaks against it.
        why: String,
    },
    /// It could not be looked at.
    Blind {
        /// What was to be looked at.
        what: &'static str,
        /// Why not.
        error: ApiError,
    },
}

impl Stop {
    /// Something speaks against it.
    pub fn refused(what: &'static str, why: impl Into<String>) -> Self {
        Self::Refused { what, why: why.into() }
    }

    /// A question without an answer; a missing right is a refusal that names it.
    pub fn blind(what: &'static str) -> impl Fn(ApiError) -> Self {
        move |error| match &error.fault.missing {
            Some(right) => Self::refused(what, format!("needs the right {right}")),
            None if error.fault.status == Some(404) => Self::refused(what, error.fault.what),
            None => Self::Blind { what, error },
        }
    }

    /// Before the confirmation.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Refused { what, why } => Verdict::refuse(what, why),
            Self::Blind { what, error } => {
                let evidence = Evidence::new(what, error.to_string(), Tone::Unknown);
                Verdict::allow("", Identity::new()).and(Decision::Blind, evidence)
            }
        }
    }

    /// Just before sending.
    pub fn unsent(self) -> SendError {
        SendError::NotSent(match self {
            Self::Refused { what, why } => Fault::new(Layer::App, format!("{what}: {why}")),
            Self::Blind { error, .. } => error.fault,
        })
    }
}

impl Authentik {
    /// The form with what this server offers.
    pub(super) async fn offer(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        match &*op.name {
            invite::NAME => self.offer_invite(op).await,
            reissue::NAME => self.offer_reissue(op, targets).await,
            recovery::NAME => Ok(self.offer_recovery(op)),
            membership::ADD | membership::REMOVE => self.offer_groups(op, targets).await,
            _ => Ok(op.form.clone()),
        }
    }

    /// The check before the confirmation.
    pub(super) async fn judge(&self, job: &Job) -> Result<Verdict, ApiError> {
        let verdict = match &*job.op {
            invite::NAME => self.judge_invite(job).await,
            reissue::NAME => self.judge_reissue(job).await,
            recovery::NAME => self.judge_recovery(job).await,
            device::NAME => self.judge_device(job).await,
            session::NAME => self.judge_session(job).await,
            rotate::NAME => self.judge_rotate(job).await,
            offboard::NAME => self.judge_offboard(job).await,
            revoke::NAME => self.judge_revoke(job).await,
            membership::ADD | membership::REMOVE => self.judge_membership(job).await,
            standing::DEACTIVATE | standing::ACTIVATE | standing::END_SESSIONS => {
                self.judge_standing(job).await
            }
            _ => return Err(unknown(job)),
        };
        Ok(verdict.unwrap_or_else(Stop::verdict))
    }

    /// Sends it, once.
    pub(super) async fn carry_out(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let end = self.send(job, progress).await;
        // Whoever is being read now may have been read before this.
        self.roll.forget();
        end
    }

    async fn send(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        match &*job.op {
            invite::NAME => self.invite(job).await,
            reissue::NAME => self.reissue(job, &progress).await,
            recovery::NAME => self.make_recovery(job).await,
            device::NAME => self.delete_device(job).await,
            session::NAME => self.end_session(job).await,
            rotate::NAME => self.rotate(job, &progress).await,
            offboard::NAME => self.offboard(job, &progress).await,
            revoke::NAME => self.revoke(job).await,
            membership::ADD | membership::REMOVE => self.change_membership(job).await,
            standing::DEACTIVATE | standing::ACTIVATE | standing::END_SESSIONS => {
                self.change_standing(job).await
            }
            _ => Err(SendError::NotSent(unknown(job).fault)),
        }
    }

    /// Looks whether the effect is there.
    pub(super) async fn read_back(
        &self,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        match &*job.op {
            invite::NAME => self.prove_invite(job, remote, since).await,
            reissue::NAME => self.prove_reissue(job, remote, since).await,
            recovery::NAME => self.prove_recovery(job, since).await,
            device::NAME => self.prove_device(job, since).await,
            session::NAME => self.prove_session(job, since).await,
            rotate::NAME => self.prove_rotate(job, remote, since).await,
            offboard::NAME => self.prove_offboard(job, since).await,
            revoke::NAME => self.prove_revoke(job, since).await,
            membership::ADD | membership::REMOVE => self.prove_membership(job, since).await,
            standing::DEACTIVATE | standing::ACTIVATE | standing::END_SESSIONS => {
                self.prove_standing(job, since).await
            }
            _ => Err(unknown(job)),
        }
    }
}

fn unknown(job: &Job) -> ApiError {
    ApiError::unsupported(format!("authentik has no operation `{}`", job.op))
}
