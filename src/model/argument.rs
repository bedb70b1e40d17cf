//! Values from servers that end in a command line: names of hosts, guests and pods.
//!
//! No shell ever sees them, but the program they are given to reads options, and ssh hands its arguments to a shell on
//! the other side. A name that needs more than these characters is refused, not quoted.

/// A value that a server may not put into a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsafeArgument(String);

impl std::fmt::Display for UnsafeArgument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?} is not used in a command: it begins with - or holds more than A-Z a-z 0-9 . _ : @ / -",
            self.0
        )
    }
}

impl std::error::Error for UnsafeArgument {}

/// The value as a single element of a command line, if it is harmless there.
pub fn checked(value: &str) -> Result<String, UnsafeArgument> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._:@/-".contains(c);
    if value.is_empty() || value.starts_with('-') || !value.chars().all(harmless) {
        return Err(UnsafeArgument(value.chars().take(64).collect()));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn only_plain_names_reach_a_command_line() {
        for harmless in ["root@pve1.example", "2001:db8::1", "media/jellyfin-0", "a", "./x"] {
            assert_eq!(checked(harmless).as_deref(), Ok(harmless));
        }
        for hostile in ["", "-oProxyCommand=reboot", "a b", "a;b", "$(x)", "a\nb", "höst", "a'b", "\u{202e}a"]
        {
            assert!(checked(hostile).is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn a_refusal_shows_the_value_escaped_and_short() {
        let refusal = checked(&"\x1b[2J".repeat(1000)).unwrap_err().to_string();
        assert!(!refusal.contains('\x1b') && refusal.len() < 600, "{refusal}");
    }
}
