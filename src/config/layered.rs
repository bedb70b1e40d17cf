//! Files that inherit: a user's file over a shipped one, each saying only what it changes.

use std::borrow::Cow;
use std::path::Path;

use super::check;
use super::load;
use super::raw::Table;
use super::report::{Report, Severity};
use super::source::Source;
use super::suggest;

/// One kind of such files.
pub(super) struct Family {
    /// What messages call one: `theme`.
    pub kind: &'static str,
    /// The folder of the user's own files, below the configuration directory.
    pub folder: &'static str,
    /// Those compiled in, by name; the first is the root of every chain.
    pub shipped: &'static [(&'static str, &'static str)],
}

/// A file of a chain.
#[derive(Debug)]
pub(super) struct Layer {
    /// What messages call it.
    pub name: String,
    /// Its text.
    pub text: Cow<'static, str>,
}

impl Family {
    /// The name of the root of every chain.
    pub fn root(&self) -> &'static str {
        self.shipped.first().map_or("", |(name, _)| name)
    }

    /// The files that together make up the named one, the root first.
    pub fn chain(&self, name: &str, dir: Option<&Path>) -> Result<Vec<Layer>, Vec<Report>> {
        let mut layers: Vec<Layer> = Vec::new();
        let mut wanted = Some(name.to_owned());
        while let Some(name) = wanted {
            let layer = self.find(&name, dir, &layers)?;
            wanted = match Self::parent(&layer)? {
                None if layer.name != self.shipped_name(self.root()) => Some(self.root().to_owned()),
                parent => parent,
            };
            layers.push(layer);
        }
        layers.reverse();
        Ok(layers)
    }

    /// The user's file of a name, or the shipped one; a file below itself in the chain is never found again.
    fn find(&self, name: &str, dir: Option<&Path>, above: &[Layer]) -> Result<Layer, Vec<Report>> {
        let used = |name: &str| above.iter().any(|layer| layer.name == name);
        let own = dir.map(|dir| dir.join(self.folder).join(format!("{name}.toml")));
        let own = own.filter(|path| path.symlink_metadata().is_ok() && !used(&path.display().to_string()));
        if let Some(path) = own {
            let text = load::text(&path)
                .map_err(|report| vec![Report { severity: Severity::Warning, ..*report }])?;
            return Ok(Layer { name: path.display().to_string(), text: Cow::Owned(text) });
        }
        let shipped = self.shipped.iter().find(|(shipped, _)| *shipped == name);
        match shipped.filter(|_| !used(&self.shipped_name(name))) {
            Some((name, text)) => Ok(Layer { name: self.shipped_name(name), text: Cow::Borrowed(text) }),
            None if above.is_empty() => Err(vec![self.unknown(name)]),
            None => Err(vec![Report::warning(
                format!("the {} `{name}` cannot be inherited", self.kind),
                "name a file that exists and does not inherit this one in turn",
            )]),
        }
    }

    fn unknown(&self, name: &str) -> Report {
        let what = format!("there is no {} `{name}`", self.kind);
        Report::warning(what, suggest::advice(name, self.shipped.iter().map(|(name, _)| *name)))
    }

    fn shipped_name(&self, name: &str) -> String {
        format!("{}/{name}.toml", self.folder)
    }

    /// What a layer inherits.
    fn parent(layer: &Layer) -> Result<Option<String>, Vec<Report>> {
        let source = Source::new(&layer.name, &layer.text, Severity::Warning);
        let parent = source
            .parse()
            .and_then(|entries| Table::root(&source, &entries).checked("inherits", check::name));
        let reports = source.into_reports();
        if reports.is_empty() { Ok(parent) } else { Err(reports) }
    }
}
