//! From what the operator types to a name that the server takes and that no second invitation has.

use crate::backend::authentik::seal::suffix;
use crate::backend::authentik::watch::is_slug;

/// The longest label that is kept.
const LONGEST: usize = 40;
/// The longest name that the server takes.
const NAME: usize = 50;
/// What a label keeps of itself, however long the group's name is.
const LEAST: usize = 12;

/// The label in the letters of a slug; empty where nothing of it is left.
pub fn slug(label: &str) -> String {
    let mut slug = String::new();
    for c in label.trim().chars().map(plain) {
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(LONGEST);
    slug.trim_end_matches('-').to_owned()
}

/// The invitation's name, the same each time that a run is looked at.
///
/// The group is part of it where it can be: of an invitation that is gone, events keep the name alone.
pub fn name(label: &str, group: &str, run: &str) -> String {
    let (mut label, suffix) = (slug(label), suffix(run));
    let room = NAME.saturating_sub(suffix.len() + group.len() + 2);
    if !is_slug(group) || room < LEAST {
        return format!("{label}-{suffix}");
    }
    label.truncate(room);
    format!("{}-{group}-{suffix}", label.trim_end_matches('-'))
}

/// The label and the group that a name was made of, where it names one of these groups.
pub fn parts<'g>(name: &str, groups: impl Iterator<Item = &'g str>) -> (String, Option<&'g str>) {
    let (stem, suffix) = name.rsplit_once('-').unwrap_or((name, ""));
    let made = suffix.len() == 6 && suffix.bytes().all(|c| c.is_ascii_hexdigit());
    let stem = if made { stem } else { name };
    let group = groups.filter(|group| stem.ends_with(&format!("-{group}"))).max_by_key(|group| group.len());
    let label = group.map_or(stem, |group| &stem[..stem.len() - group.len() - 1]);
    (label.to_owned(), group)
}

/// Western European letters without their accents.
fn plain(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ä' | 'ã' | 'å' | 'À' | 'Â' | 'Ä' => 'a',
        'ç' | 'Ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'Î' | 'Ï' => 'i',
        'ñ' | 'Ñ' => 'n',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'Ô' | 'Ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' | 'Ù' | 'Û' | 'Ü' => 'u',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_becomes_a_slug() {
        let cases = [
            ("aunt", "aunt"),
            (" Grand-Mère Ève! ", "grand-mere-eve"),
            ("../../x", "x"),
            ("日本", ""),
            ("--", ""),
        ];
        for (label, expected) in cases {
            assert_eq!(slug(label), expected, "{label}");
        }
        assert_eq!(slug(&"x".repeat(100)).len(), LONGEST);
    }

    #[test]
    fn two_runs_never_share_a_name_and_one_run_always_does() {
        assert_eq!(name("aunt", "family", "r1"), name("aunt", "family", "r1"));
        assert_ne!(name("aunt", "family", "r1"), name("aunt", "family", "r2"));
    }

    #[test]
    fn a_name_tells_its_label_and_group_and_fits_the_server() {
        let groups = ["family", "family-app-nextcloud", "Read only"];
        for (label, group, told) in [
            ("aunt", "family", Some("family")),
            ("aunt", "family-app-nextcloud", Some("family-app-nextcloud")),
            ("aunt", "Read only", None),
        ] {
            let name = name(label, group, "r1");
            assert!(name.starts_with("aunt-") && is_slug(&name), "{name}");
            assert_eq!(parts(&name, groups.into_iter()), ("aunt".to_owned(), told), "{name}");
        }
        assert!(name(&"x".repeat(60), "family-app-nextcloud", "r1").len() <= NAME);
        assert_eq!(
            parts("invite-nextcloud-c3", groups.into_iter()),
            ("invite-nextcloud-c3".to_owned(), None)
        );
    }
}
