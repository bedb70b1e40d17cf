//! Who holds which PCI device: `hostpci` entries and resource mappings resolved to functions, and where they meet.

use std::collections::BTreeSet;

use super::wire::Mapping;

/// A device, or one function of it: `0000:01:00` or `0000:01:00.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    slot: String,
    function: Option<u8>,
}

impl Function {
    /// Reads an address; the domain may be left out, and without a function all of the device is meant.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let (slot, function) = match text.split_once('.') {
            Some((slot, function)) => (slot, Some(function.parse().ok().filter(|f| *f < 8)?)),
            None => (text.as_str(), None),
        };
        let parts: Vec<&str> = slot.split(':').collect();
        let hex = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !parts.iter().all(hex) {
            return None;
        }
        let slot = match parts[..] {
            [bus, device] => format!("0000:{bus}:{device}"),
            [domain, bus, device] => format!("{domain}:{bus}:{device}"),
            _ => return None,
        };
        Some(Self { slot, function })
    }

    /// Whether both cannot be handed to two guests at once.
    pub fn meets(&self, other: &Self) -> bool {
        let same = |(a, b): (Option<u8>, Option<u8>)| a.is_none() || b.is_none() || a == b;
        self.slot == other.slot && same((self.function, other.function))
    }

    /// The address as Proxmox writes it.
    pub fn text(&self) -> String {
        self.function.map_or_else(|| self.slot.clone(), |function| format!("{}.{function}", self.slot))
    }
}

/// What one `hostpci` entry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The sets of functions of which any one will do.
    pub alternatives: Vec<Vec<Function>>,
    /// False for virtual functions that a device hands out itself.
    pub exclusive: bool,
}

/// Resolves a `hostpci` entry on a node; the error says what could not be resolved.
pub fn claim(entry: &str, node: &str, mappings: Option<&[Mapping]>) -> Result<Claim, String> {
    let mut parts = entry.split(',');
    let first = parts.next().unwrap_or_default();
    let exclusive = !entry.split(',').any(|part| part.starts_with("mdev="));
    if let Some(name) = first.strip_prefix("mapping=") {
        let mappings = mappings.ok_or_else(|| format!("mapping {name} cannot be read"))?;
        let mapping = mappings.iter().find(|mapping| mapping.id.as_deref() == Some(name));
        let mapping = mapping.ok_or_else(|| format!("there is no mapping {name}"))?;
        let alternatives: Vec<Vec<Function>> = mapping
            .map
            .iter()
            .filter_map(|entry| on_node(entry, node))
            .filter(|set| !set.is_empty())
            .collect();
        if alternatives.is_empty() {
            return Err(format!("mapping {name} has no device on {node}"));
        }
        return Ok(Claim { alternatives, exclusive });
    }
    let addresses = first.strip_prefix("host=").unwrap_or(first);
    let functions: Option<Vec<Function>> = addresses.split(';').map(Function::parse).collect();
    match functions {
        Some(functions) if !functions.is_empty() => Ok(Claim { alternatives: vec![functions], exclusive }),
        _ => Err(format!("`{first}` is no PCI address")),
    }
}

/// The functions of one entry of a mapping, where it is for this node.
fn on_node(entry: &str, node: &str) -> Option<Vec<Function>> {
    let value = |name: &str| entry.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    (value("node")? == node).then_some(())?;
    Some(value("path")?.split(';').filter_map(Function::parse).collect())
}

/// A guest and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its name and number, as people write them.
    pub name: String,
    /// What it asks for.
    pub claims: Vec<Claim>,
}

/// What stands between a claim and its devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// A running guest has the device.
    Held {
        /// The device.
        device: String,
        /// The guest.
        by: String,
    },
    /// A running guest may have it: it took one of several.
    Perhaps {
        /// The device.
        device: String,
        /// The guest.
        by: String,
    },
}

/// Compares what a guest asks for with what those that run hold.
pub fn conflicts(wanted: &[Claim], holders: &[Holder]) -> Vec<Conflict> {
    wanted.iter().filter(|claim| claim.exclusive).filter_map(|claim| conflict(claim, holders)).collect()
}

fn conflict(claim: &Claim, holders: &[Holder]) -> Option<Conflict> {
    let mut least: Option<Conflict> = None;
    for set in &claim.alternatives {
        match taken(set, holders) {
            None => return None,
            Some(perhaps @ Conflict::Perhaps { .. }) => least = Some(perhaps),
            Some(held) => least = least.or(Some(held)),
        }
    }
    least
}

fn taken(set: &[Function], holders: &[Holder]) -> Option<Conflict> {
    let mut perhaps = None;
    for holder in holders {
        for claim in holder.claims.iter().filter(|claim| claim.exclusive) {
            let meeting = |other: &Vec<Function>| {
                set.iter().find(|function| other.iter().any(|theirs| theirs.meets(function)))
            };
            let Some(function) = claim.alternatives.iter().find_map(meeting) else { continue };
            let (device, by) = (function.text(), holder.name.clone());
            if claim.alternatives.len() == 1 {
                return Some(Conflict::Held { device, by });
            }
            perhaps = Some(Conflict::Perhaps { device, by });
        }
    }
    perhaps
}

/// The devices of some claims, as people write them.
pub fn devices(claims: &[Claim]) -> Vec<String> {
    let functions: BTreeSet<&Function> =
        claims.iter().flat_map(|claim| claim.alternatives.iter().flatten()).collect();
    functions.into_iter().map(Function::text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(id: &str, entries: &[&str]) -> Mapping {
        Mapping { id: Some(id.into()), map: entries.iter().map(|entry| (*entry).to_owned()).collect() }
    }

    fn holder(claims: Vec<Claim>) -> Vec<Holder> {
        vec![Holder { name: "linux-gpu-test (201)".into(), claims }]
    }

    #[test]
    fn addresses_are_read_with_and_without_domain_and_function() {
        let whole = Function::parse("01:00").unwrap();
        assert_eq!(whole, Function::parse("0000:01:00").unwrap());
        assert!(whole.meets(&Function::parse("0000:01:00.1").unwrap()));
        assert!(!Function::parse("01:00.0").unwrap().meets(&Function::parse("01:00.1").unwrap()));
        for wrong in ["", "01", "xx:00", "01:00.9", "a:b:c:d"] {
            assert_eq!(Function::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_raw_device_meets_a_mapped_one() {
        let maps =
            [mapping("gpu0", &["node=pve,path=0000:01:00,id=10de:2206", "node=other,path=0000:02:00"])];
        let wanted = claim("0000:01:00,pcie=1,x-vga=1", "pve", Some(&maps)).unwrap();
        let held = claim("mapping=gpu0,pcie=1", "pve", Some(&maps)).unwrap();
        let found = conflicts(&[wanted], &holder(vec![held]));
        let by = "linux-gpu-test (201)".to_owned();
        assert_eq!(found, [Conflict::Held { device: "0000:01:00".into(), by }]);
    }

    #[test]
    fn any_free_alternative_will_do() {
        let maps = [mapping("gpus", &["node=pve,path=0000:01:00", "node=pve,path=0000:02:00"])];
        let wanted = claim("mapping=gpus", "pve", Some(&maps)).unwrap();
        let first = claim("host=01:00.0", "pve", None).unwrap();
        let second = claim("02:00", "pve", None).unwrap();
        assert!(conflicts(std::slice::from_ref(&wanted), &holder(vec![first.clone()])).is_empty());
        let both = conflicts(std::slice::from_ref(&wanted), &holder(vec![first, second]));
        assert!(matches!(both[..], [Conflict::Held { .. }]));
        let unsure = conflicts(&[claim("01:00", "pve", None).unwrap()], &holder(vec![wanted]));
        assert!(matches!(unsure[..], [Conflict::Perhaps { .. }]));
    }

    #[test]
    fn virtual_functions_are_shared() {
        let wanted = claim("0000:01:00,mdev=nvidia-35", "pve", None).unwrap();
        let held = claim("0000:01:00", "pve", None).unwrap();
        assert!(conflicts(&[wanted], &holder(vec![held])).is_empty());
    }

    #[test]
    fn what_cannot_be_resolved_says_why() {
        assert!(claim("mapping=gpu0", "pve", None).unwrap_err().contains("cannot be read"));
        assert!(claim("mapping=gpu0", "pve", Some(&[])).unwrap_err().contains("no mapping"));
        let elsewhere = [mapping("gpu0", &["node=other,path=01:00"])];
        assert!(claim("mapping=gpu0", "pve", Some(&elsewhere)).unwrap_err().contains("no device on pve"));
        assert!(claim("yes", "pve", None).unwrap_err().contains("no PCI address"));
    }
}
