//! Reading the project's own files: every file of a folder, and the code and the prose of Rust apart.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder, in a fixed order.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// A file's code with strings, characters and comments blanked, and its prose with everything else blanked. Both keep
/// the lines.
pub fn apart(text: &str) -> (String, String) {
    let (mut code, mut prose) = (String::new(), String::new());
    let mut rest = text;
    while !rest.is_empty() {
        let length = prose_length(rest);
        let (part, prosaic) = match length {
            0 => (&rest[..rest.chars().next().map_or(1, char::len_utf8)], false),
            length => (&rest[..length], true),
        };
        for c in part.chars() {
            let blank = if c == '\n' { '\n' } else { ' ' };
            code.push(if prosaic { blank } else { c });
            prose.push(if prosaic { c } else { blank });
        }
        rest = &rest[part.len()..];
    }
    (code, prose)
}

/// How many bytes of comment, string or character literal begin here; 0 for code.
fn prose_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes {
        [b'/', b'/', ..] => text.find('\n').unwrap_or(text.len()),
        [b'/', b'*', ..] => block_comment(text),
        [b'"', ..] => quoted(text, 1),
        [b'b', b'"', ..] => quoted(text, 2),
        [b'r', b'"' | b'#', ..] => raw(text, 1),
        [b'b', b'r', b'"' | b'#', ..] => raw(text, 2),
        [b'\'', ..] => character(text),
        _ => 0,
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn quoted(text: &str, open: usize) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn raw(text: &str, prefix: usize) -> usize {
    let hashes = text[prefix..].bytes().take_while(|byte| *byte == b'#').count();
    let open = prefix + hashes;
    if text.as_bytes().get(open) != Some(&b'"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    text[open + 1..].find(&close).map_or(text.len(), |at| open + 1 + at + close.len())
}

/// A character literal, as opposed to a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_)) => chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}
