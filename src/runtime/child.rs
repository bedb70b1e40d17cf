//! Commands that get the terminal for themselves: an editor, a pager, ssh. Never a shell.

use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// A command to lend the terminal to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// The program and its arguments, one element each.
    pub argv: Vec<String>,
    /// What it reads on standard input (a pager's text) instead of the terminal.
    pub stdin: Option<String>,
}

impl Child {
    /// A command on the terminal.
    pub fn new(argv: Vec<String>) -> Self {
        Self { argv, stdin: None }
    }

    pub(super) async fn run(&self) -> io::Result<ExitStatus> {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a command without a program"));
        };
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::inherit() };
        // The allocator's settings are ours, not the child's.
        let mut child =
            Command::new(program).args(arguments).env_remove(super::thrift::VARIABLE).stdin(stdin).spawn()?;
        if let (Some(text), Some(mut pipe)) = (&self.stdin, child.stdin.take()) {
            // A pager that was quit early does not read the rest.
            let _ = pipe.write_all(text.as_bytes()).await;
        }
        child.wait().await
    }
}

/// The operator's command from the first variable that holds one (`$VISUAL`, `$EDITOR`; `$PAGER`), or the fallback.
///
/// Split at spaces, so that options work; quotes have no meaning, there is no shell.
pub fn preferred<'a>(variables: impl IntoIterator<Item = Option<&'a str>>, fallback: &str) -> Vec<String> {
    let chosen = variables.into_iter().flatten().find(|value| !value.trim().is_empty());
    chosen.unwrap_or(fallback).split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{Child, preferred};

    #[test]
    fn the_first_variable_with_a_command_wins() {
        let cases: [([Option<&str>; 2], &[&str]); 4] = [
            ([Some("code --wait"), Some("vim")], &["code", "--wait"]),
            ([None, Some("vim")], &["vim"]),
            ([Some("  "), None], &["vi"]),
            ([Some("$(reboot); vi"), None], &["$(reboot);", "vi"]),
        ];
        for (variables, expected) in cases {
            assert_eq!(preferred(variables, "vi"), expected, "{variables:?}");
        }
    }

    #[tokio::test]
    async fn a_child_gets_its_arguments_unchanged_and_its_text_on_standard_input() {
        let script = r#"test "$1" = '$(x) y' && test "$(cat)" = "text" && exit 7"#;
        let argv = ["sh", "-c", script, "sh", "$(x) y"].map(str::to_owned).to_vec();
        let child = Child { argv, stdin: Some("text".to_owned()) };
        assert_eq!(child.run().await.unwrap().code(), Some(7));
    }

    #[tokio::test]
    async fn a_command_that_does_not_exist_is_an_error() {
        assert!(Child::new(Vec::new()).run().await.is_err());
        assert!(Child::new(vec!["/nonexistent/editor".to_owned()]).run().await.is_err());
    }
}
