//! Quoting a line of a configuration without what the quotation does not need to show.
//!
//! A secret pasted by mistake must not reach a terminal or a log through the message that complains about it. So what
//! is not meant is shown without the contents of its quotes, and a line that cannot be understood only as a shape.

use unicode_width::UnicodeWidthStr;

/// Cells of a quoted line that are shown at most.
const SHOWN: usize = 100;
/// Cells before the meant part that are shown at most.
const LED_IN: usize = 60;

/// How much of a line may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Veil {
    /// The meant part; of the rest everything but the contents of quotes.
    Rest,
    /// The key alone: its value is, or may be, a secret.
    Value,
    /// Punctuation alone: it is not known what the line says.
    Words,
}

/// A line as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Quotation {
    /// The line.
    pub text: String,
    /// Cells before the meant part.
    pub indent: usize,
    /// Cells of the meant part.
    pub width: usize,
}

/// Quotes a line of which the bytes from `start` to `end` are meant.
pub(super) fn quote(line: &str, start: usize, end: usize, veil: Veil) -> Quotation {
    let (left, meant, right) = (&line[..start], &line[start..end], &line[end..]);
    let (left, meant, right) = match veil {
        Veil::Rest => (unquoted(left), meant.to_owned(), unquoted(right)),
        Veil::Value => {
            let key = left.find('=').map_or(left, |equals| &left[..=equals]);
            (format!("{} ", unquoted(key)), "…".to_owned(), String::new())
        }
        Veil::Words => {
            let known = known_length(line);
            (
                shape(left, known),
                shape(meant, known.saturating_sub(start)),
                shape(right, known.saturating_sub(end)),
            )
        }
    };
    let (left, meant, right) = (lead_in(&printable(&left)), printable(&meant), printable(&right));
    Quotation {
        indent: left.width(),
        width: meant.width().min(SHOWN),
        text: shorten(&format!("{left}{meant}{right}")),
    }
}

/// Replaces what stands between quotes, or after a quote that is not closed, by `…`.
fn unquoted(text: &str) -> String {
    let mut shown = String::new();
    let mut quote = None;
    for c in text.chars() {
        match quote {
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                shown.extend([c, '…']);
            }
            Some(open) if c == open => {
                quote = None;
                shown.push(c);
            }
            None => shown.push(c),
            Some(_) => {}
        }
    }
    shown
}

/// How many bytes at the beginning of a line can only be a table's name or a key.
fn known_length(line: &str) -> usize {
    let is_key = |key: &str| {
        let key = key.trim();
        !key.is_empty()
            && key.len() <= 24
            && key.bytes().all(|b| b.is_ascii_lowercase() || b"_.-".contains(&b))
    };
    match line.split_once('=') {
        Some((key, _)) if is_key(key) => key.len(),
        None if line.trim_start().starts_with('[') => line.len(),
        _ => 0,
    }
}

/// Replaces letters and digits behind the first `known` bytes by dots.
fn shape(text: &str, known: usize) -> String {
    text.char_indices().map(|(at, c)| if at >= known && c.is_alphanumeric() { '·' } else { c }).collect()
}

/// Text without what a terminal could obey.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

fn lead_in(text: &str) -> String {
    let length = text.chars().count();
    if length <= LED_IN {
        text.to_owned()
    } else {
        format!("…{}", text.chars().skip(length - LED_IN).collect::<String>())
    }
}

fn shorten(line: &str) -> String {
    if line.chars().count() <= SHOWN {
        return line.trim_end().to_owned();
    }
    line.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(line: &str, meant: &str, veil: Veil) -> (String, String) {
        let start = line.find(meant).unwrap();
        let quotation = quote(line, start, start + meant.len(), veil);
        (quotation.text, format!("{}{}", " ".repeat(quotation.indent), "^".repeat(quotation.width)))
    }

    #[test]
    fn only_the_meant_part_of_a_line_is_shown_whole() {
        for (line, meant, veil, text, carets) in [
            (
                "url = \"ftp://x\" # 'y'",
                "\"ftp://x\"",
                Veil::Rest,
                "url = \"ftp://x\" # '…'",
                "      ^^^^^^^^^",
            ),
            ("toekn = \"planted\"", "toekn", Veil::Rest, "toekn = \"…\"", "^^^^^"),
            ("toekn = \"planted", "toekn", Veil::Rest, "toekn = \"…", "^^^^^"),
            ("token = \"planted\"", "\"planted\"", Veil::Value, "token = …", "        ^"),
            ("a = { \"b\" = \"planted\" }", "\"planted\"", Veil::Value, "a = …", "    ^"),
            ("toekn = plan@ted1", "@", Veil::Words, "toekn = ····@····", "            ^"),
            ("plan@ted=1", "@", Veil::Words, "····@···=·", "    ^"),
            ("UExBTlRFRA==", "==", Veil::Words, "··········==", "          ^^"),
            ("[tab", "[tab", Veil::Words, "[tab", "^^^^"),
            ("名 = 1", "1", Veil::Rest, "名 = 1", "     ^"),
        ] {
            assert_eq!(quoted(line, meant, veil), (text.to_owned(), carets.to_owned()));
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_meant_part() {
        let line = format!("{} = 7 # {}", "x".repeat(500), "y".repeat(500));
        let (text, carets) = quoted(&line, "7", Veil::Rest);
        assert!(text.starts_with('…') && text.ends_with('…') && text.chars().count() < 110, "{text}");
        assert_eq!(text.chars().nth(carets.len() - 1), Some('7'));
    }
}
