//! Who may know whom. The law of `src/lib.rs` is read off every path of the code, not only off `use` lines.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test's helpers may fail the test")]

mod source;

use std::fs;
use std::path::Path;

use source::{apart, files};

/// The rooms of the house and what each may see besides itself.
const LAW: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("config", &["model"]),
    ("insight", &["config", "model"]),
    ("ui", &["insight", "config", "model"]),
    ("app", &["ui", "insight", "config", "model"]),
    ("backend", &["config", "model"]),
    ("demo", &["backend", "config", "model"]),
    ("exec", &["app", "insight", "backend", "config", "model"]),
    ("runtime", &["exec", "app", "ui", "insight", "backend", "config", "model"]),
    // It sees `ui` for the one door of remote text and for how values are written; nothing is drawn.
    ("headless", &["cli", "demo", "exec", "app", "insight", "backend", "config", "model"]),
    ("cli", &["config", "model"]),
    ("log", &[]),
    ("main", &["cli", "log", "runtime", "headless", "demo", "config", "model"]),
];

const ASYNC: &[&str] = &["runtime", "headless", "exec", "backend", "demo"];
const NETWORK: &[&str] = &["backend", "demo"];

/// Crates that only some rooms, or files, may name.
const CRATES: [(&str, &[&str]); 17] = [
    ("crossterm", &["runtime"]),
    ("ratatui", &["ui", "runtime", "config/theme.rs"]),
    ("tui_textarea", &["ui"]),
    ("tokio", ASYNC),
    ("tokio_util", ASYNC),
    ("tokio_rustls", NETWORK),
    ("futures_util", ASYNC),
    ("reqwest", NETWORK),
    ("kube", NETWORK),
    ("k8s_openapi", NETWORK),
    ("axum", NETWORK),
    ("hyper", NETWORK),
    ("hyper_util", NETWORK),
    ("tower", NETWORK),
    ("rcgen", NETWORK),
    ("ed25519_dalek", NETWORK),
    ("clap", &["cli", "main", "headless"]),
];

/// A token and its line, from 1.
#[derive(Debug, Clone, PartialEq)]
struct Token {
    /// An identifier, `::`, or one other character.
    text: String,
    /// Where it stands.
    line: usize,
}

/// The tokens of blanked code, without the modules that `#[cfg(test)]` guards.
fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        let mut text = c.to_string();
        if c == '\n' {
            line += 1;
        }
        if c.is_whitespace() {
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                text.push(c);
            }
        } else if c == ':' && chars.next_if_eq(&':').is_some() {
            text.push(':');
        }
        tokens.push(Token { text, line });
    }
    without_tests(&tokens)
}

fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const GUARD: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let guarded =
            tokens[at..].iter().zip(GUARD).filter(|(token, text)| token.text == *text).count() == GUARD.len();
        if guarded {
            at = item_end(tokens, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Just past the `;` or the block that ends an item.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => return at + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// A file of the crate.
struct File {
    /// Below `src/`, with `/` between folders.
    path: String,
    /// Its module path.
    module: Vec<String>,
    tokens: Vec<Token>,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
        let module = stem.split('/').filter(|part| *part != "lib" && *part != "main").map(str::to_owned);
        Self { path: path.to_owned(), module: module.collect(), tokens: tokens(&apart(text).0) }
    }

    /// The room it belongs to; `lib` holds no code of its own.
    fn room(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// Every room that is named by a path, with its line.
    fn rooms(&self) -> Vec<(&str, usize)> {
        let mut named = Vec::new();
        for at in 0..self.tokens.len() {
            let starts = at == 0 || self.text(at - 1) != "::";
            let root = match self.text(at) {
                "crate" | "vigie" if starts && self.text(at + 1) == "::" => Some(at + 2),
                "super" if starts => self.climb(at),
                _ => None,
            };
            named.extend(root.into_iter().flat_map(|at| self.heads(at)));
        }
        named
    }

    /// Where a chain of `super::` that reaches the root of the crate goes on.
    fn climb(&self, start: usize) -> Option<usize> {
        let mut at = start;
        while self.text(at) == "super" && self.text(at + 1) == "::" {
            at += 2;
        }
        ((at - start) / 2 >= self.module.len()).then_some(at)
    }

    /// The first names of a path or of a group of paths.
    fn heads(&self, at: usize) -> Vec<(&str, usize)> {
        if self.text(at) != "{" {
            return vec![(self.text(at), self.tokens[at].line)];
        }
        let (mut heads, mut depth) = (Vec::new(), 0);
        for at in at..self.tokens.len() {
            match self.text(at) {
                "{" => depth += 1,
                "}" => depth -= 1,
                name if depth == 1 && matches!(self.text(at - 1), "{" | ",") => {
                    heads.push((name, self.tokens[at].line));
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        heads
    }

    /// Whether a token names a crate: it begins a path, or is imported as a whole.
    fn names_crate(&self, at: usize) -> bool {
        let before = if at == 0 { "" } else { self.text(at - 1) };
        let begins = !matches!(before, "::" | "." | "mod" | "fn" | "let");
        let imported = before == "use" && matches!(self.text(at + 1), ";" | "as");
        begins && (self.text(at + 1) == "::" || imported)
    }

    fn breaches(&self) -> Vec<String> {
        let room = self.room();
        let Some((_, seen)) = LAW.iter().find(|(name, _)| *name == room) else {
            return vec![format!("src/{}: the law does not know this room", self.path)];
        };
        let is_room = |name: &str| LAW.iter().any(|(room, _)| *room == name);
        let rooms = self
            .rooms()
            .into_iter()
            .filter(|(name, _)| is_room(name) && *name != room && !seen.contains(name));
        let mut breaches: Vec<_> = rooms
            .map(|(name, line)| format!("src/{}:{line}: {room} may not see {name}", self.path))
            .collect();
        for (at, token) in self.tokens.iter().enumerate() {
            let Some((name, homes)) = CRATES.iter().find(|(name, _)| token.text == *name) else { continue };
            if self.names_crate(at) && !homes.contains(&room) && !homes.contains(&self.path.as_str()) {
                breaches.push(format!("src/{}:{}: {room} may not use {name}", self.path, token.line));
            }
        }
        breaches
    }

    /// Simulators that are compiled even without the demo.
    fn unguarded(&self) -> Vec<String> {
        const GUARD: [&str; 9] = ["#", "[", "cfg", "(", "feature", "=", ")", "]", "pub"];
        let is_sim = |at: &usize| self.text(*at) == "mod" && matches!(self.text(at + 1), "sim" | "demo");
        let guarded = |at: usize| {
            let start = at.saturating_sub(if self.text(at - 1) == "pub" { 9 } else { 8 });
            GUARD.iter().take(at - start).enumerate().all(|(i, text)| self.text(start + i) == *text)
        };
        let found = (1..self.tokens.len()).filter(is_sim).filter(|at| !guarded(*at));
        found
            .map(|at| format!("src/{}:{}: needs cfg(feature = \"demo\")", self.path, self.tokens[at].line))
            .collect()
    }
}

fn crate_files() -> Vec<File> {
    let root = Path::new("src");
    let is_code = |path: &Path| {
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        is_rust && !path.ends_with("tests.rs") && path.iter().all(|part| part != "tests")
    };
    let named = files(root).into_iter().map(|path| {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        (path, name)
    });
    named
        .filter(|(path, _)| is_code(path))
        .map(|(path, name)| File::new(&name, &fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn no_room_knows_more_than_the_law_allows() {
    let files = crate_files();
    assert!(files.len() > 20, "the source was not found");
    let breaches: Vec<_> =
        files.iter().filter(|file| file.path != "lib.rs").flat_map(File::breaches).collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn simulators_are_left_out_without_the_demo() {
    let unguarded: Vec<_> = crate_files().iter().flat_map(File::unguarded).collect();
    assert!(unguarded.is_empty(), "\n{}", unguarded.join("\n"));
}

#[test]
fn a_breach_is_found_wherever_it_hides() {
    for (path, text, breaches) in [
        ("ui/table.rs", "fn f() { let x = crate::backend::http::get(); }", 1),
        ("ui/table.rs", "use crate::{backend::http, model::row, exec};", 2),
        ("ui/table.rs", "use super::super::backend::http;", 1),
        ("ui/table/mod.rs", "use super::super::backend::http;", 1),
        ("ui/table/cell.rs", "use super::super::backend::http;", 0),
        ("ui/mod.rs", "use super::backend;", 1),
        ("model/row.rs", "fn f(x: ratatui::style::Style) {}", 1),
        ("model/row.rs", "use tokio;", 1),
        ("config/theme.rs", "use ratatui::style::Style;", 0),
        ("config/theme/file.rs", "use ratatui::style::Style;", 1),
        ("app/mod.rs", "// crate::backend\n/* tokio::spawn */ const X: &str = \"crate::backend\";", 0),
        (
            "app/mod.rs",
            "const X: &str = r#\"crate::backend \" tokio::spawn\"#; fn f<'a>(c: &'a char) { '\"'; }",
            0,
        ),
        (
            "app/mod.rs",
            "#[cfg(test)]\nmod tests { use crate::backend::sim; }\nfn f() { crate::exec::run() }",
            1,
        ),
        ("app/mod.rs", "fn f(kube: K) { kube.get(); let tokio = 1; other::kube::x(); }", 0),
        ("attic/mod.rs", "", 1),
        ("main.rs", "fn main() { vigie::backend::all(); }", 1),
    ] {
        let found = File::new(path, text).breaches();
        assert_eq!(found.len(), breaches, "{path}: {text}\n{found:?}");
    }
}

#[test]
fn an_unguarded_simulator_is_found() {
    for (text, found) in [
        ("pub mod http;\npub mod sim;", 1),
        ("pub mod http;\nmod sim;", 1),
        ("pub mod http;\n#[cfg(feature = \"demo\")]\npub mod sim;", 0),
        ("pub mod http;\n#[cfg(feature = \"demo\")]\nmod sim;", 0),
    ] {
        assert_eq!(File::new("backend/mod.rs", text).unguarded().len(), found, "{text}");
    }
}
