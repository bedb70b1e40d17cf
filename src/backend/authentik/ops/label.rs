//! From what the operator types to a name that the server takes and that no second invitation has.

use crate::backend::authentik::seal::suffix;

/// The longest label that is kept.
const LONGEST: usize = 40;

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
pub fn name(label: &str, run: &str) -> String {
    format!("{}-{}", slug(label), suffix(run))
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
        assert_eq!(name("aunt", "r1"), name("aunt", "r1"));
        assert_ne!(name("aunt", "r1"), name("aunt", "r2"));
    }
}
