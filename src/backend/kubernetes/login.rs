//! Credential plugins that may want a person: run once before the screen is taken, because afterwards they never may.
//!
//! What they print on standard output is the credential, which nobody sees; they keep it in their own cache, from which
//! they hand it out without asking again.

use std::io::IsTerminal;
use std::process::Stdio;

use kube::config::{ExecConfig, ExecInteractiveMode};
use tokio::process::Command;

use crate::config::Config;

use super::access;

/// Lets every plugin of the configured contexts log in, each once; what fails is seen again when its cluster is asked.
pub async fn before_screen(config: &Config) {
    if !std::io::stdin().is_terminal() {
        return;
    }
    let mut run: Vec<(Option<String>, Option<Vec<String>>)> = Vec::new();
    for settings in &config.kubernetes {
        let Some(plugin) = access::plugin(settings).filter(wants_somebody) else { continue };
        let known = (plugin.command.clone(), plugin.args.clone());
        if !run.contains(&known) {
            run.push(known);
            log_in(&plugin).await;
        }
    }
}

fn wants_somebody(plugin: &ExecConfig) -> bool {
    plugin.interactive_mode != Some(ExecInteractiveMode::Never)
}

async fn log_in(plugin: &ExecConfig) {
    let Some(mut child) = command(plugin) else { return };
    let ended = child.status().await.map(|status| status.success());
    let name = plugin.command.as_deref().unwrap_or_default();
    if !ended.as_ref().is_ok_and(|good| *good) {
        tracing::warn!(name, ?ended, "a credential plugin did not log in");
    }
}

/// The plugin as kubectl would run it, but for its answer, which is not wanted here.
fn command(plugin: &ExecConfig) -> Option<Command> {
    let version = plugin.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
    let info =
        format!(r#"{{"apiVersion":"{version}","kind":"ExecCredential","spec":{{"interactive":true}}}}"#);
    let mut child = Command::new(plugin.command.as_ref()?);
    child.args(plugin.args.iter().flatten()).env("KUBERNETES_EXEC_INFO", info).stdout(Stdio::null());
    for pair in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (pair.get("name"), pair.get("value")) {
            child.env(name, value);
        }
    }
    Some(child)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_plugin_is_told_that_somebody_is_there_and_its_answer_is_thrown_away() {
        let script = r#"printf secret; test "$A" = b && case "$KUBERNETES_EXEC_INFO" in *'"interactive":true'*) exit 0;; esac; exit 1"#;
        let plugin = ExecConfig {
            command: Some("sh".to_owned()),
            args: Some(vec!["-c".to_owned(), script.to_owned()]),
            env: Some(vec![
                [("name".to_owned(), "A".to_owned()), ("value".to_owned(), "b".to_owned())].into(),
            ]),
            ..ExecConfig::default()
        };
        let done = command(&plugin).unwrap().status().await.unwrap();
        assert!(done.success(), "{done}");
        assert!(wants_somebody(&plugin));
        let never = ExecConfig { interactive_mode: Some(ExecInteractiveMode::Never), ..plugin };
        assert!(!wants_somebody(&never));
    }
}
