//! Who can open what, worked out from bindings as the policy engine does it, because the server tells it of nobody but
//! the caller. What cannot be worked out is named as such and never counted as closed.

mod census;
mod edge;
mod people;
mod side;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::row::{Health, natural};

use super::access::Bindings;
use super::people::Groups;
use super::wire::{Application, Binding};

pub use census::{Census, Grounds, print};
pub use edge::{Guarded, at_the_edge};
pub use people::{Crowd, Person};
pub use side::{Remark, Side, findings};

/// How the engine of a release reads the mode `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Engine {
    /// All user and group bindings count as one that any of them passes, whatever the mode says.
    any_is_enough: bool,
}

impl Engine {
    /// Releases from 2025.8 until the repair in 2026.5 let a member of one of several groups in.
    pub fn of(version: &str) -> Self {
        let affected = natural(version, "2025.8").is_ge() && natural(version, "2026.5").is_lt();
        // A version that cannot be read is taken for one of those: too strict is the safe mistake.
        Self { any_is_enough: version.is_empty() || affected }
    }
}

/// Whether somebody gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// A policy decides that cannot be evaluated here.
    Depends,
}

/// For whom an application is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Administrators alone.
    Admin,
    /// The family.
    Family,
    /// Nobody has said.
    Unlisted,
}

impl Audience {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Family => "family",
            Self::Unlisted => "?",
        }
    }
}

/// What the audit says of one application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The word.
    pub word: &'static str,
    /// Red is critical, amber a warning, and what is not known is unknown.
    pub health: Health,
    /// The rule that decided, in words.
    pub why: String,
}

/// Everything that the rules look at.
#[derive(Debug)]
pub struct Audit<'a> {
    /// All groups.
    pub groups: &'a Groups,
    /// All bindings.
    pub bindings: &'a Bindings,
    /// How the server reads them.
    pub engine: Engine,
    /// Whether an application without a binding lets nobody in: a switch of the tenant from 2026.5.
    pub shut_by_default: bool,
    /// Its version, for the reader.
    pub version: &'a str,
    /// The groups whose members are family, with everything above and below them.
    pub family: &'a BTreeSet<String>,
    /// The slugs that are for administrators, and for the family.
    pub lists: (&'a [String], &'a [String]),
    /// Which family members were seen to get in by asking the server, by application.
    pub measured: &'a BTreeMap<String, Vec<String>>,
}

/// The groups named, everything below them, and everything above those, of which their members are members too.
pub fn family(groups: &Groups, named: &[String]) -> BTreeSet<String> {
    let roots: BTreeSet<&str> = if named.is_empty() {
        // Where nobody is named, everybody who is no administrator counts.
        groups.iter().filter(|group| !groups.is_admin(&group.pk)).map(|group| group.pk.as_str()).collect()
    } else {
        groups
            .iter()
            .filter(|group| named.iter().any(|name| **name == *group.name))
            .map(|group| group.pk.as_str())
            .collect()
    };
    let below = groups
        .iter()
        .filter(|group| groups.with_ancestors(&group.pk).iter().any(|above| roots.contains(above.as_str())));
    below.flat_map(|group| groups.with_ancestors(&group.pk)).collect()
}

/// For whom an application is: as the lists for administrators and for the family say, else as its heading in the portal
/// suggests.
pub fn audience(application: &Application, lists: (&[String], &[String])) -> Audience {
    let named = |list: &[String]| list.iter().any(|slug| **slug == *application.slug);
    match () {
        () if named(lists.0) => Audience::Admin,
        () if named(lists.1) => Audience::Family,
        () if application.group.to_lowercase().contains("admin") => Audience::Admin,
        () => Audience::Unlisted,
    }
}

impl<'a> Audit<'a> {
    /// For whom an application is.
    pub fn audience(&self, application: &Application) -> Audience {
        audience(application, self.lists)
    }

    /// The bindings that count.
    pub fn enabled(&self, application: &Application) -> Vec<&'a Binding> {
        self.bindings.of(application).into_iter().filter(|binding| binding.is_enabled()).collect()
    }

    fn all(application: &Application) -> bool {
        application.policy_engine_mode.as_str() == "all"
    }

    /// Whether a person gets in.
    pub fn admits(&self, application: &Application, person: &Person) -> Access {
        let bound = self.enabled(application);
        if bound.is_empty() {
            return if self.shut_by_default { Access::No } else { Access::Yes };
        }
        let (fixed, policies): (Vec<&Binding>, Vec<&Binding>) =
            bound.into_iter().partition(|binding| is_static(binding));
        let all = Self::all(application);
        let passes = |binding: &&Binding| person.matches(binding) != binding.negate.is_true();
        let strict = all && !self.engine.any_is_enough;
        let by_name = match (fixed.is_empty(), strict) {
            (true, _) => None,
            (false, true) => Some(fixed.iter().all(passes)),
            (false, false) => Some(fixed.iter().any(passes)),
        };
        match (by_name, policies.is_empty()) {
            (Some(passed), true) => {
                if passed {
                    Access::Yes
                } else {
                    Access::No
                }
            }
            (Some(true), false) if !all => Access::Yes,
            (Some(false), false) if all => Access::No,
            _ => Access::Depends,
        }
    }

    /// The verdict on an application.
    pub fn judge(&self, application: &Application) -> Verdict {
        let verdict = self.by_rule(application);
        let audience = self.audience(application);
        let seen = self.measured.get(&*application.slug).filter(|_| audience == Audience::Admin);
        match (verdict.word, seen) {
            ("closed" | "undecided", Some(who)) => {
                let why = format!("the server lets {} in (measured); {}", who.join(", "), verdict.why);
                Verdict { word: "exposed", health: Health::Critical, why }
            }
            ("undecided", None) if !self.measured.is_empty() => {
                let why = format!(
                    "{}; nobody of the family who was tried gets in (measured, not proven)",
                    verdict.why
                );
                Verdict { why, ..verdict }
            }
            _ => verdict,
        }
    }

    fn by_rule(&self, application: &Application) -> Verdict {
        let bound = self.enabled(application);
        let red = |word, why: String| Verdict { word, health: Health::Critical, why };
        if bound.is_empty() {
            let off = self.bindings.of(application).len();
            let off = if off == 0 { "no binding".to_owned() } else { format!("all {off} bindings are off") };
            if self.shut_by_default {
                return Self::closed(application, &format!("{off}, and this tenant then lets nobody in"));
            }
            return red("open", format!("{off}: every account gets in"));
        }
        match self.audience(application) {
            Audience::Admin => self.admin_only(application, &bound),
            audience => self.shared(application, &bound, audience),
        }
    }

    fn admin_only(&self, application: &Application, bound: &[&Binding]) -> Verdict {
        let (all, strict) = (Self::all(application), Self::all(application) && !self.engine.any_is_enough);
        let fixed: Vec<&&Binding> = bound.iter().filter(|binding| is_static(binding)).collect();
        let policies: Vec<String> = bound.iter().filter(|b| !is_static(b)).map(|b| b.who()).collect();
        // Where all must pass, one that the family never passes closes it.
        let shut = |binding: &&&Binding| !binding.negate.is_true() && !self.is_family(binding);
        if strict && fixed.iter().any(shut) {
            return Self::closed(
                application,
                "all bindings must agree, and one of them keeps the family out",
            );
        }
        let leak = fixed.iter().find(|binding| !shut(binding));
        let no = |word, why: String| Verdict { word, health: Health::Critical, why };
        match leak {
            // An `all` of which only the policies are left to say no is for the policies to decide.
            Some(_) if all && !policies.is_empty() => Self::undecided(&policies),
            Some(binding) if binding.negate.is_true() => {
                no("exposed", format!("{} admits everybody else", binding.who()))
            }
            Some(binding) if all && fixed.len() > 1 => {
                let why =
                    format!("`all` lets one of them in on {}: {} is enough", self.version, binding.who());
                no("exposed", why)
            }
            Some(binding) => no("exposed", format!("{} is family", binding.who())),
            None if !policies.is_empty() && (!all || fixed.is_empty()) => Self::undecided(&policies),
            None => Self::closed(application, "only administrators are bound"),
        }
    }

    fn undecided(policies: &[String]) -> Verdict {
        let why = format!("{} cannot be evaluated here", policies.join(", "));
        Verdict { word: "undecided", health: Health::Unknown, why }
    }

    fn closed(application: &Application, why: &str) -> Verdict {
        let hidden = super::rows::applications::is_hidden(application);
        let why = if hidden { format!("{why}; its tile is hidden besides") } else { why.to_owned() };
        Verdict { word: "closed", health: Health::Ok, why }
    }

    fn shared(&self, application: &Application, bound: &[&Binding], audience: Audience) -> Verdict {
        if super::rows::applications::is_hidden(application) {
            let why = "its tile is hidden, which keeps nobody out".to_owned();
            return Verdict { word: "hidden", health: Health::Warning, why };
        }
        let turned = bound.iter().find(|binding| is_static(binding) && binding.negate.is_true());
        if let Some(binding) = turned.filter(|_| !Self::all(application) || self.engine.any_is_enough) {
            let why = format!("{} admits everybody else, unvalidated accounts included", binding.who());
            return Verdict { word: "exposed", health: Health::Warning, why };
        }
        let said = if audience == Audience::Family { "for the family" } else { "on neither list" };
        Verdict { word: "shared", health: Health::Ok, why: said.to_owned() }
    }

    /// Whether a binding lets somebody of the family pass.
    fn is_family(&self, binding: &Binding) -> bool {
        let group = binding.group.some().is_some_and(|group| self.family.contains(group));
        // A person bound by name counts unless its groups say that it is an administrator.
        let user = binding.user.0.is_some_and(|pk| !self.groups.is_administrator(pk));
        group || user
    }
}

/// Whether a binding names a user or a group, so that it can be evaluated here.
pub fn is_static(binding: &Binding) -> bool {
    binding.group.some().is_some() || binding.user.0.is_some()
}

#[cfg(test)]
mod tests;
