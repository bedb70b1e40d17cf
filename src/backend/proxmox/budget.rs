//! Will it fit? Two sums that no Proxmox does itself: the owner's plan, and what the host measures now.
//!
//! Both are printed term by term, so that they can be checked by hand. Proxmox starts anything; the kernel's
//! out-of-memory killer decides later, in the night.

use std::fmt::Write;

use crate::config::MemoryBudget;

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// How many guests a sum names before it counts the rest.
const NAMED: usize = 6;

/// One guest's part in the sums.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Its name.
    pub name: String,
    /// The memory it may use, bytes.
    pub max: i64,
    /// What it costs the host now, bytes.
    pub now: i64,
    /// Whether all of it is pinned from its start (passthrough).
    pub pinned: bool,
    /// Whether it runs already, or only will.
    pub standing: Standing,
}

/// Why a guest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It runs.
    Running,
    /// A task is starting it.
    Starting,
    /// It is off now, but starts with its host.
    Reserved,
}

/// What a host has.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// All its memory, bytes.
    pub total: i64,
    /// What can be had without swapping, bytes; the ZFS cache is not in it.
    pub available: i64,
    /// The ZFS cache, bytes, where the host tells (9).
    pub arc: Option<i64>,
}

/// What a guest that is to be started will need.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Its memory, bytes.
    pub memory: i64,
    /// Whether it is a virtual machine, which costs more than its memory.
    pub machine: bool,
}

/// How well it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// With the reserve untouched.
    Safe,
    /// Only if the cache gives way and nobody grows.
    Tight,
    /// Not.
    Unsafe,
}

/// A sum and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum {
    /// How well it fits.
    pub fit: Fit,
    /// The sum, term by term.
    pub text: String,
}

/// The owner's plan in nominal GiB; `None` where no plan is configured. Works while the host is off.
pub fn plan(guests: &[Share], need: &Need, budget: &MemoryBudget) -> Option<Sum> {
    let whole = budget.ram?;
    let this = gib(need.memory);
    let sum = budget.host
        + budget.arc
        + guests.iter().map(|guest| gib(guest.max)).sum::<f64>()
        + this
        + budget.reserve;
    let text = format!(
        "host {} + ARC {}{} + this {} + reserve {} = {} of {} GiB",
        short(budget.host),
        short(budget.arc),
        terms(guests),
        short(this),
        short(budget.reserve),
        short(sum),
        short(whole),
    );
    let fit = if sum > whole + f64::EPSILON { Fit::Unsafe } else { Fit::Safe };
    Some(Sum { fit, text })
}

/// The guests as terms, largest first.
fn terms(guests: &[Share]) -> String {
    let mut sorted: Vec<&Share> = guests.iter().collect();
    sorted.sort_by(|a, b| b.max.cmp(&a.max).then_with(|| a.name.cmp(&b.name)));
    let mut text = String::new();
    for guest in sorted.iter().take(NAMED) {
        let why = match guest.standing {
            Standing::Running => "",
            Standing::Starting => " (starting)",
            Standing::Reserved => " (off, starts with its host)",
        };
        let _ = write!(text, " + {}{why} {}", guest.name, short(gib(guest.max)));
    }
    let rest = sorted.get(NAMED..).unwrap_or_default();
    if !rest.is_empty() {
        let sum: f64 = rest.iter().map(|guest| gib(guest.max)).sum();
        let _ = write!(text, " + {} more {}", rest.len(), short(sum));
    }
    text
}

/// What the host measures: available memory, what its cache can give back, and what those that run may still take.
pub fn measured(host: &Host, guests: &[Share], need: &Need, budget: &MemoryBudget) -> Sum {
    let total = gib(host.total);
    let arc = host.arc.map_or_else(|| (total * 0.1).min(16.0), gib);
    let back = (arc - (total / 32.0).max(budget.arc_floor)).max(0.0);
    let wanted = if need.machine {
        gib(need.memory) * (1.0 + budget.overhead_part) + budget.overhead
    } else {
        gib(need.memory)
    };
    let running = guests.iter().filter(|guest| guest.standing != Standing::Reserved && !guest.pinned);
    // An empty sum of floats is -0.
    let growth = running.fold(0.0, |sum, guest| sum + gib((guest.max - guest.now).max(0)));
    let available = gib(host.available);
    let safe = available + budget.reclaim * back - wanted - growth;
    let tight = available + back - wanted - budget.tight_growth * growth;
    let fit = if safe >= budget.reserve {
        Fit::Safe
    } else if tight >= budget.tight_left {
        Fit::Tight
    } else {
        Fit::Unsafe
    };
    let guessed = if host.arc.is_none() { " (ARC guessed)" } else { "" };
    let sum = |part: f64, growing: f64, left: f64| {
        format!(
            "available {} + {} × cache {}{guessed} − need {} − {} × growth {} = {} GiB",
            one(available),
            short(part),
            one(back),
            one(wanted),
            short(growing),
            one(growth),
            one(left)
        )
    };
    let text = match fit {
        Fit::Safe => format!("SAFE: {}, reserve {}", sum(budget.reclaim, 1.0, safe), short(budget.reserve)),
        Fit::Tight => format!(
            "TIGHT: {} is less than the reserve {}, but {} is at least {}",
            sum(budget.reclaim, 1.0, safe),
            short(budget.reserve),
            sum(1.0, budget.tight_growth, tight),
            short(budget.tight_left)
        ),
        Fit::Unsafe => format!(
            "UNSAFE: {} is less than {}",
            sum(1.0, budget.tight_growth, tight),
            short(budget.tight_left)
        ),
    };
    Sum { fit, text }
}

/// The fewest guests whose end would make room, smallest first; empty where even all of them would not.
pub fn remedy(guests: &[Share], missing: f64) -> Vec<&Share> {
    let mut running: Vec<&Share> =
        guests.iter().filter(|guest| guest.standing == Standing::Running).collect();
    running.sort_by(|a, b| a.max.cmp(&b.max).then_with(|| a.name.cmp(&b.name)));
    if let Some(one) = running.iter().find(|guest| gib(guest.max) >= missing) {
        return vec![one];
    }
    let mut freed = 0.0;
    let mut chosen = Vec::new();
    for guest in running.into_iter().rev() {
        freed += gib(guest.max);
        chosen.push(guest);
        if freed >= missing {
            return chosen;
        }
    }
    Vec::new()
}

/// How much the plan lacks, GiB; 0 where it fits or where there is none.
pub fn lacking(guests: &[Share], need: &Need, budget: &MemoryBudget) -> f64 {
    let Some(whole) = budget.ram else { return 0.0 };
    let used = budget.host + budget.arc + budget.reserve + gib(need.memory);
    (used + guests.iter().map(|guest| gib(guest.max)).sum::<f64>() - whole).max(0.0)
}

/// Bytes in GiB.
#[allow(clippy::cast_precision_loss)]
pub fn gib(bytes: i64) -> f64 {
    bytes as f64 / GIB
}

/// At most one decimal, none where it is nought.
pub fn short(value: f64) -> String {
    let text = one(value);
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

fn one(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const G: i64 = 1 << 30;

    fn share(name: &str, max: i64, now: i64) -> Share {
        Share { name: name.into(), max, now, pinned: false, standing: Standing::Running }
    }

    fn budget() -> MemoryBudget {
        MemoryBudget { ram: Some(64.0), ..MemoryBudget::default() }
    }

    fn prod() -> Vec<Share> {
        vec![share("talos-prod-cp", 4 * G, 4 * G), share("talos-prod-worker-1", 12 * G, 12 * G)]
    }

    const GAMING: Need = Need { memory: 32 * G, machine: true };

    #[test]
    fn the_plan_has_no_slack_and_one_more_guest_breaks_it() {
        let sum = plan(&prod(), &GAMING, &budget()).unwrap();
        assert_eq!(sum.fit, Fit::Safe, "{}", sum.text);
        assert!(sum.text.ends_with("= 64 of 64 GiB"), "{}", sum.text);
        let mut guests = prod();
        guests.push(share("talos-dev", 4 * G, G));
        let sum = plan(&guests, &GAMING, &budget()).unwrap();
        assert_eq!(sum.fit, Fit::Unsafe);
        assert_eq!(
            sum.text,
            "host 4 + ARC 8 + talos-prod-worker-1 12 + talos-dev 4 + talos-prod-cp 4 + this 32 + reserve 4 = 68 of 64 GiB"
        );
        let missing = lacking(&guests, &GAMING, &budget());
        let names: Vec<&str> = remedy(&guests, missing).iter().map(|guest| guest.name.as_str()).collect();
        assert_eq!(names, ["talos-dev"]);
    }

    #[test]
    fn without_a_configured_size_there_is_no_plan() {
        assert_eq!(plan(&prod(), &GAMING, &MemoryBudget::default()), None);
    }

    /// The worked figures: 36.7 GiB available, a cache of 7.8 GiB.
    #[test]
    fn the_measured_sum_tells_safe_tight_and_unsafe() {
        #[allow(clippy::cast_possible_truncation)]
        let bytes = |gib: f64| (gib * GIB) as i64;
        let host = Host { total: 67_321_151_488, available: bytes(36.7), arc: Some(bytes(7.8)) };
        let resident =
            vec![share("a", 4 * G, 4 * G), share("b", 12 * G, 12 * G), share("ct", bytes(0.5), bytes(0.1))];
        let nine = measured(&host, &resident, &GAMING, &budget());
        assert_eq!(nine.fit, Fit::Safe, "{}", nine.text);
        assert!(nine.text.contains("= 6.0 GiB, reserve 4"), "{}", nine.text);
        let lazy = vec![
            share("a", 4 * G, bytes(2.5)),
            share("b", 12 * G, bytes(9.2)),
            share("ct", bytes(0.5), bytes(0.1)),
        ];
        let eight = measured(&host, &lazy, &GAMING, &budget());
        assert_eq!(eight.fit, Fit::Tight, "{}", eight.text);
        let full = Host { available: bytes(28.0), ..host };
        assert_eq!(measured(&full, &lazy, &GAMING, &budget()).fit, Fit::Unsafe);
    }

    #[test]
    fn pinned_guests_do_not_grow_and_reserved_ones_do_not_yet() {
        let host = Host { total: 64 * G, available: 20 * G, arc: Some(0) };
        let mut guests = vec![share("pinned", 8 * G, G), share("reserved", 8 * G, 0)];
        guests[0].pinned = true;
        guests[1].standing = Standing::Reserved;
        let need = Need { memory: 4 * G, machine: false };
        let sum = measured(&host, &guests, &need, &budget());
        assert!(sum.text.contains("growth 0.0 = 16.0 GiB"), "{}", sum.text);
    }

    #[test]
    fn several_guests_are_named_where_one_is_not_enough() {
        let guests = vec![share("a", 2 * G, 0), share("b", 3 * G, 0), share("c", G, 0)];
        let names =
            |missing| -> Vec<String> { remedy(&guests, missing).iter().map(|g| g.name.clone()).collect() };
        assert_eq!(names(1.0), ["c"]);
        assert_eq!(names(4.0), ["b", "a"]);
        assert!(names(7.0).is_empty());
    }
}
