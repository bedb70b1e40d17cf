//! The words of an acknowledgement: a short silence whose comment other tools understand.
//!
//! karma writes the prefix, kthxbye extends whatever carries it while it matches something that fires. What vigie adds
//! stands in brackets at the end, so that those tools still read the comment as theirs.

/// With this, karma and kthxbye mark a silence as an acknowledgement.
pub const ACK: &str = "ACK!";

/// Who acknowledged which alert, as the comment tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Who.
    pub by: String,
    /// The first eight digits of the alert's fingerprint.
    pub alert: String,
}

/// The comment of an acknowledgement.
pub fn comment(text: &str, by: &str, fingerprint: &str) -> String {
    let short: String = fingerprint.chars().take(8).collect();
    let text = text.trim();
    let space = if text.is_empty() { "" } else { " " };
    format!("{ACK} {text}{space}[by={by} until=resolved ref={short}]")
}

/// What vigie wrote behind an acknowledgement's text; `None` where another tool made it.
pub fn mark(comment: &str) -> Option<Mark> {
    let rest = comment.strip_prefix(ACK)?;
    let (_, inner) = rest.rsplit_once('[')?;
    let inner = inner.trim_end().strip_suffix(']')?;
    let field = |name: &str| {
        let of = |part: &str| part.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
        inner.split_whitespace().find_map(of)
    };
    let until = field("until")?;
    (until == "resolved").then_some(Mark { by: field("by")?, alert: field("ref")? })
}

/// The text that a person wrote, of a comment without its prefix.
pub fn spoken(rest: &str) -> &str {
    match rest.rsplit_once('[') {
        Some((text, mark)) if mark.contains("until=") && mark.trim_end().ends_with(']') => text.trim(),
        _ => rest.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_is_karmas_and_tells_who_and_which() {
        let made = comment(" on it ", "alice", "9f3e929a6fe20fb3");
        assert_eq!(made, "ACK! on it [by=alice until=resolved ref=9f3e929a]");
        assert_eq!(mark(&made), Some(Mark { by: "alice".into(), alert: "9f3e929a".into() }));
        assert_eq!(spoken(made.strip_prefix(ACK).unwrap()), "on it");
    }

    #[test]
    fn acknowledgements_of_other_tools_are_no_marks_of_ours() {
        let karma = "ACK! This alert was acknowledged using karma on 2026-11-22";
        for comment in [karma, "ACK!", "ACK! see [1]", "known [by=a until=resolved ref=b]", ""] {
            assert_eq!(mark(comment), None, "{comment}");
        }
        assert_eq!(spoken(" see [1]"), "see [1]");
    }
}
