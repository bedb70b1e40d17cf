//! `CustomResourceDefinition`: the plural, the version that is served, and the columns that its author chose.

use std::borrow::Cow;

use serde::Deserialize;

use crate::backend::error::ApiError;
use crate::backend::kubernetes::catalog::CATALOG;
use crate::backend::kubernetes::client::Cluster;
use crate::backend::kubernetes::resource::{Resource, is_name};
use crate::backend::kubernetes::watch::encoded;
use crate::backend::kubernetes::wire::Page;
use crate::backend::lenient::{Flag, Int, List, Obj, Text, Words};
use crate::model::id::KindId;
use crate::model::kind::{Column, Format, KindSpec, Shape, Width};

use super::super::kinds::view;
use super::path::{self, Path};

/// Where definitions are.
const LIST: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Columns of its author's that are shown; more fit on no screen.
const MOST_COLUMNS: usize = 8;

/// One resource that the cluster was taught.
pub struct Custom {
    /// Its kind here.
    pub id: KindId,
    /// Where its objects are.
    pub resource: Resource,
    /// Its author's columns.
    pub printed: Vec<Printed>,
    aliases: Vec<String>,
}

/// One of `additionalPrinterColumns`.
pub struct Printed {
    name: String,
    doc: String,
    wide: bool,
    /// Where its value is.
    pub path: Path,
    /// How it is written.
    pub format: Format,
    /// Whether it is a number.
    pub is_number: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Definition {
    spec: Obj<Spec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    group: Text,
    names: Obj<Names>,
    scope: Text,
    versions: List<Version>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Names {
    plural: Text,
    singular: Text,
    kind: Text,
    #[serde(rename = "shortNames")]
    short: Words,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Version {
    name: Text,
    served: Flag,
    storage: Flag,
    additional_printer_columns: List<PrinterColumn>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PrinterColumn {
    name: Text,
    #[serde(rename = "type")]
    sort: Text,
    format: Text,
    description: Text,
    json_path: Text,
    priority: Int,
}

/// Every definition of a cluster.
pub async fn all(cluster: &Cluster) -> Result<Vec<Custom>, ApiError> {
    let mut found: Vec<Custom> = Vec::new();
    let mut token = String::new();
    loop {
        let next = if token.is_empty() { String::new() } else { format!("&continue={}", encoded(&token)) };
        let page: Page<Definition> = cluster.get(&format!("{LIST}?limit=100{next}")).await?.json()?;
        for definition in page.items.iter() {
            if let Some(custom) = Custom::new(&definition.spec, &found) {
                found.push(custom);
            }
        }
        if page.metadata.next.is_empty() {
            return Ok(found);
        }
        page.metadata.next.as_str().clone_into(&mut token);
    }
}

impl Custom {
    /// Reads a definition; `None` where it serves nothing, has odd names, or is listed here anyway.
    fn new(spec: &Spec, known: &[Self]) -> Option<Self> {
        let names = &spec.names;
        let served = |version: &&Version| version.served.is_true() && is_name(&version.name);
        let versions = || spec.versions.iter().filter(served);
        let version = versions().find(|version| version.storage.is_true()).or_else(|| versions().next())?;
        let listed = CATALOG
            .iter()
            .any(|entry| *entry.resource.group == *spec.group && *entry.resource.plural == *names.plural);
        if listed || &*spec.group == "argoproj.io" || !is_name(&names.plural) || !is_name(&spec.group) {
            return None;
        }
        let full = format!("{}.{}", names.plural.as_str(), spec.group.as_str());
        // A word that means something else already is not taken from it.
        let taken = |word: &str| {
            let known = known
                .iter()
                .any(|custom| custom.id.name() == word || custom.aliases.iter().any(|a| a == word));
            known || super::super::is_taken(word)
        };
        let short = if taken(&names.plural) { &full } else { names.plural.as_str() };
        let words = [names.singular.as_str(), full.as_str()].into_iter().chain(names.short.iter());
        let aliases =
            words.filter(|word| !word.is_empty() && *word != short && !taken(word)).map(str::to_owned);
        let resource = super::resource(
            &spec.group,
            &version.name,
            &names.plural,
            &names.kind,
            &*spec.scope == "Namespaced",
        );
        let columns = version.additional_printer_columns.iter().filter_map(Printed::new);
        Some(Self {
            id: KindId::new(format!("kubernetes.{short}")),
            aliases: aliases.collect(),
            printed: columns.take(MOST_COLUMNS).collect(),
            resource,
        })
    }

    /// The name of its source.
    pub fn feed(&self) -> String {
        format!("{}.{}", self.resource.plural, self.resource.group)
    }

    /// Its kind for the browser.
    pub fn spec(&self) -> KindSpec {
        let column = |name: &str, width, doc: &str| column(name, name, width, doc);
        let mut columns = vec![
            column(
                "state",
                Width::Fit(6, 13),
                "How it is, by what is known of its kind or by its conditions.",
            )
            .format(Format::State)
            .priority(0),
            column("name", Width::Flex(18), "Its name.").priority(0),
        ];
        if self.resource.namespaced {
            columns.push(column("namespace", Width::Fit(6, 18), "The namespace it lives in.").priority(1));
        }
        columns.extend(self.printed.iter().map(Printed::column));
        columns
            .push(column("why", Width::Flex(12), "The reason behind a state that is not good.").priority(1));
        columns.push(column("age", Width::Fit(3, 4), "Since its creation.").format(Format::Age).priority(2));
        KindSpec {
            id: self.id.clone(),
            singular: self.resource.kind.to_lowercase().into(),
            aliases: self.aliases.iter().map(|alias| alias.clone().into()).collect(),
            doc: format!("{} of {}.", self.resource.kind, self.resource.group).into(),
            columns,
            sort: (1, false),
            views: vec![view("yaml", "YAML", Shape::Doc)],
            drill: None,
            pane: None,
        }
    }
}

fn column(name: &str, title: &str, width: Width, doc: &str) -> Column {
    let base = Column::new("", "", width, "");
    let owned = |text: &str| Cow::Owned(text.to_owned());
    Column { name: owned(name), title: owned(title), doc: owned(doc), ..base }
}

/// Whether a date of this name is one to come.
fn lies_ahead(name: &str) -> bool {
    ["expir", "next", "renew", "not-after", "notafter", "until"].iter().any(|word| name.contains(word))
}

impl Printed {
    fn new(column: &PrinterColumn) -> Option<Self> {
        let name = column.name.some()?.to_lowercase().replace(' ', "-");
        // State, name and age are there already.
        if matches!(name.as_str(), "age" | "name" | "namespace" | "state" | "why" | "ready") {
            return None;
        }
        Some(Self {
            doc: column
                .description
                .some()
                .unwrap_or("As its author prints it.")
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
            wide: column.priority.or_zero() > 0,
            path: path::parse(&column.json_path)?,
            format: match &*column.sort {
                "date" if lies_ahead(&name) => Format::Until,
                "date" => Format::Age,
                _ => Format::Plain,
            },
            is_number: matches!(&*column.sort, "integer" | "number")
                || matches!(&*column.format, "int32" | "int64"),
            name,
        })
    }

    fn column(&self) -> Column {
        let made =
            column(&self.name, &self.name, Width::Fit(4, 24), &self.doc).format(self.format).priority(2);
        if self.wide { made.wide() } else { made }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(definition: &Value) -> Option<Custom> {
        let definition: Definition = serde_json::from_value(definition.clone()).unwrap();
        Custom::new(&definition.spec, &[])
    }

    fn definition(versions: &Value) -> Value {
        json!({"spec": {"group": "lab.example", "scope": "Cluster", "versions": versions,
            "names": {"plural": "gizmos", "singular": "gizmo", "kind": "Gizmo", "shortNames": ["gz", 7, "po"]}}})
    }

    #[test]
    fn the_stored_version_is_taken_if_it_is_served_and_else_another_that_is() {
        let version = |name: &str, served: bool, storage: bool| json!({"name": name, "served": served, "storage": storage});
        let cases = [
            (json!([version("v1alpha1", true, false), version("v1", true, true)]), Some("v1")),
            (json!([version("v1", false, true), version("v1beta1", true, false)]), Some("v1beta1")),
            (json!([version("v1", false, true)]), None),
            (json!([{"name": "../x", "served": true}]), None),
            (json!("odd"), None),
        ];
        for (versions, expected) in cases {
            let found = read(&definition(&versions)).map(|custom| custom.resource.version.to_string());
            assert_eq!(found.as_deref(), expected, "{versions}");
        }
    }

    #[test]
    fn odd_columns_cost_themselves_and_a_taken_short_name_is_not_taken_again() {
        let columns = json!([{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}, {"name": "Age", "type": "date", "jsonPath": ".x"},
            {"name": "Odd", "jsonPath": "not a path"}, 7, {"jsonPath": ".y"}]);
        let versions =
            json!([{"name": "v1", "served": true, "storage": true, "additionalPrinterColumns": columns}]);
        let spec = read(&definition(&versions)).unwrap().spec();
        let names: Vec<&str> = spec.columns.iter().map(|column| &*column.name).collect();
        assert_eq!(names, ["state", "name", "size", "why", "age"]);
        let aliases: Vec<&str> = spec.aliases.iter().map(|alias| &**alias).collect();
        // `po` are pods; a number is taken as its text.
        assert_eq!(aliases, ["gizmo", "gizmos.lab.example", "gz", "7"]);
    }
}
