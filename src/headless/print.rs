//! What is printed without asking any server: the example configuration, completions, the manual page.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::config::EXAMPLE;

use super::io::{Failure, Io};

/// Prints the example configuration.
pub fn example(io: &mut Io<'_>) -> Result<u8, Failure> {
    io.raw(EXAMPLE.as_bytes())?;
    Ok(0)
}

/// Prints a shell's completions.
pub fn completions(shell: Shell, io: &mut Io<'_>) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vigie", &mut text);
    io.raw(&text)?;
    Ok(0)
}

/// Prints the manual page, with a section for each command.
pub fn manual(io: &mut Io<'_>) -> Result<u8, Failure> {
    let mut text = Vec::new();
    render(&mut text).map_err(Failure::Io)?;
    io.raw(&text)?;
    Ok(0)
}

fn render(text: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Cli::command();
    command.build();
    Man::new(command.clone()).render(text)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        text.extend(format!(".SH VIGIE {}\n", sub.get_name().to_uppercase()).bytes());
        let man = Man::new(sub.clone());
        let mut section = Vec::new();
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        // Sections of a command become subsections of the page.
        text.extend(String::from_utf8_lossy(&section).replace(".SH ", ".SS ").bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(print: impl FnOnce(&mut Io<'_>) -> Result<u8, Failure>) -> String {
        let mut out = Vec::new();
        print(&mut Io { out: &mut out, err: &mut std::io::sink(), terminal: false }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_manual_explains_every_command() {
        let text = printed(manual);
        for command in ["DEMO", "GET", "DO", "DOCTOR", "CONFIG", "COMPLETIONS", "MAN"] {
            assert!(text.contains(&format!(".SH VIGIE {command}\n")), "{command}");
        }
        assert!(text.contains("secret") && text.contains("Exit codes"));
    }

    #[test]
    fn completions_know_the_commands() {
        assert!(printed(|io| completions(Shell::Bash, io)).contains("doctor"));
    }
}
