//! References to secrets. A secret that was pasted instead is refused without being shown.

use toml::Spanned;
use toml::de::DeValue;

use super::Validator;
use crate::config::raw::Table;
use crate::config::secret::{Secret, SecretSource};
use crate::config::source::Fault;

const CURE: &str = "use `{ env = \"VARIABLE\" }`, `{ file = \"PATH\" }` (mode 0600) or `{ command = [\"program\", \"argument\"] }`";

impl Validator<'_> {
    /// A secret that may be left out.
    pub(super) fn secret(&self, table: &Table<'_>, key: &'static str) -> Option<Secret> {
        let value = table.take(key)?;
        self.secret_value(table, key, value)
    }

    /// A secret that must be there.
    pub(super) fn required_secret(&self, table: &Table<'_>, key: &'static str) -> Option<Secret> {
        if !table.has(key) {
            table.missing(key, "{ env = \"VARIABLE\" }");
        }
        self.secret(table, key)
    }

    /// The value of any entry as a reference to a secret.
    pub(super) fn secret_value<'s>(
        &self,
        table: &Table<'s>,
        key: &str,
        value: &'s Spanned<DeValue<'s>>,
    ) -> Option<Secret> {
        if value.get_ref().is_str() {
            let what = format!("`{key}` holds a value where a reference to a secret belongs");
            table.note(value.span(), Fault::new(what, "where the secret is kept", CURE).hidden());
            return None;
        }
        let reference = table.as_table(key, value, format!("the secret `{key}`"))?;
        let sources = [
            reference.text("env").and_then(|name| variable(&reference, name.value)),
            reference.text("file").map(|path| SecretSource::File(self.env.path(path.value, self.base))),
            reference.list("command").and_then(|argv| {
                let argv: Vec<_> = argv.iter().map(|argument| argument.value.to_owned()).collect();
                program(&reference, argv)
            }),
        ];
        let written = ["env", "file", "command"].iter().filter(|source| reference.has(source)).count();
        if written == 1 {
            reference.finish();
        } else {
            let what = format!("`{key}` must say exactly one place where the secret is kept");
            let fault = Fault::new(what, "one of `env`, `file`, `command`", CURE);
            reference.note(reference.header(), fault.hidden());
        }
        sources.into_iter().flatten().next().map(Secret::new)
    }
}

fn variable(reference: &Table<'_>, name: &str) -> Option<SecretSource> {
    let valid = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !valid {
        let fault = Fault::new(
            "`env` takes the name of a variable",
            "letters, digits and `_`",
            "write the name only, like `{ env = \"PVE_TOKEN\" }`, and export the value before starting vigie",
        );
        reference.note(reference.header(), fault.hidden());
    }
    valid.then(|| SecretSource::Env(name.to_owned()))
}

fn program(reference: &Table<'_>, argv: Vec<String>) -> Option<SecretSource> {
    let valid = argv.first().is_some_and(|program| !program.trim().is_empty());
    if !valid {
        let fault = Fault::new(
            "`command` is empty",
            "a program and its arguments",
            "write each argument as a text of its own, like `{ command = [\"pass\", \"show\", \"pve\"] }`",
        );
        reference.note(reference.header(), fault);
    }
    valid.then_some(SecretSource::Command(argv))
}
