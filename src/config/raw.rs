//! TOML as it was written: every key optional, every value with its place, and no key that nobody asked for.
//!
//! A table remembers what it was asked for. What is left over at the end was mistyped, so the list of known keys
//! cannot differ from what the program reads.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::{Fault, Source};
use super::suggest;

/// A table being read.
pub(super) struct Table<'s> {
    source: &'s Source<'s>,
    entries: &'s DeTable<'s>,
    /// What messages call it: `[[proxmox]]`.
    title: String,
    header: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    pub value: T,
    pub span: Range<usize>,
}

impl<'s> Table<'s> {
    /// The whole file as one table.
    pub fn root(source: &'s Source<'s>, entries: &'s DeTable<'s>) -> Self {
        Self { source, entries, title: "this file".to_owned(), header: 0..0, asked: RefCell::default() }
    }

    /// What messages call this table.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where its first line stands.
    pub fn header(&self) -> Range<usize> {
        self.header.clone()
    }

    /// Notes a finding about a part of the file.
    pub fn note(&self, span: Range<usize>, fault: Fault) {
        self.source.note(span, fault);
    }

    /// The number of the line in which a place stands.
    pub fn line_of(&self, span: &Range<usize>) -> usize {
        self.source.line_of(span.start)
    }

    /// Whether the key is written, whatever its value.
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// A text.
    pub fn text(&self, key: &'static str) -> Option<Located<&'s str>> {
        let value = self.take(key)?;
        self.as_text(key, value)
    }

    /// A text that a check turns into something better.
    pub fn checked<T>(&self, key: &'static str, check: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        let text = self.text(key)?;
        check(text.value).map_err(|fault| self.note(text.span, fault)).ok()
    }

    /// The same, where the key must be there; `example` shows how it may look.
    pub fn required<T>(
        &self,
        key: &'static str,
        example: &str,
        check: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.checked(key, check)
    }

    /// Notes that a key is missing.
    pub fn missing(&self, key: &str, example: &str) {
        let fault = Fault::new(
            format!("{} has no `{key}`", self.title),
            "needed in this table",
            format!("add `{key} = {example}`"),
        );
        self.note(self.header(), fault);
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, value, "`true` or `false`");
        }
        flag
    }

    /// A whole number within a range.
    pub fn number(&self, key: &'static str, range: RangeInclusive<u16>) -> Option<u16> {
        let value = self.take(key)?;
        let number =
            value.get_ref().as_integer().and_then(|i| i64::from_str_radix(i.as_str(), i.radix()).ok());
        let Some(number) = number else {
            self.wrong(key, value, "a whole number");
            return None;
        };
        let within = u16::try_from(number).ok().filter(|n| range.contains(n));
        if within.is_none() {
            let what = format!("`{key}` is out of range");
            let cure = format!("choose a number from {} to {}", range.start(), range.end());
            self.note(value.span(), Fault::new(what, "too small or too large", cure));
        }
        within
    }

    /// A number within a range, with or without decimals.
    pub fn decimal(&self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.take(key)?;
        let whole = value.get_ref().as_integer().map(toml::de::DeInteger::as_str);
        let text = value.get_ref().as_float().map(toml::de::DeFloat::as_str).or(whole);
        let Some(number) = text.and_then(|text| text.parse::<f64>().ok()) else {
            self.wrong(key, value, "a number");
            return None;
        };
        if range.contains(&number) {
            return Some(number);
        }
        let what = format!("`{key}` is out of range");
        let cure = format!("choose a number from {} to {}", range.start(), range.end());
        self.note(value.span(), Fault::new(what, "too small or too large", cure));
        None
    }

    /// The value of an entry as a text or a list of texts.
    pub fn texts(&self, key: &str, value: &'s Spanned<DeValue<'s>>) -> Vec<Located<&'s str>> {
        if value.get_ref().is_str() {
            return self.as_text(key, value).into_iter().collect();
        }
        self.as_list(key, value).unwrap_or_default()
    }

    /// A list of texts.
    pub fn list(&self, key: &'static str) -> Option<Vec<Located<&'s str>>> {
        let value = self.take(key)?;
        self.as_list(key, value)
    }

    fn as_list(&self, key: &str, value: &'s Spanned<DeValue<'s>>) -> Option<Vec<Located<&'s str>>> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of texts, such as `[\"a\", \"b\"]`");
            return None;
        };
        array.iter().map(|item| self.as_text(key, item)).collect()
    }

    /// A table `[key]` or `key = { … }`.
    pub fn table(&self, key: &'static str) -> Option<Table<'s>> {
        let value = self.take(key)?;
        let parent = self.title.strip_prefix('[').map(|title| title.trim_matches(['[', ']']));
        let title = parent.map_or_else(|| format!("[{key}]"), |parent| format!("[{parent}.{key}]"));
        if value.get_ref().get(0).is_some_and(|first| first.get_ref().is_table()) {
            let what = format!("`{key}` occurs once and is written `{title}`");
            self.note(value.span(), Fault::new(what, "one bracket too many", format!("write `{title}`")));
            return None;
        }
        self.as_table(key, value, title)
    }

    /// The tables `[[key]]`; one that is written `[key]` gets a message of its own.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'s>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let title = format!("[[{key}]]");
        if let Some(array) = value.get_ref().as_array() {
            return array.iter().filter_map(|item| self.as_table(key, item, title.clone())).collect();
        }
        let fault = Fault::new(
            format!("`{key}` must be written `{title}`"),
            "one bracket too few",
            format!("write `{title}`, once for each instance, with its `name` below"),
        );
        self.note(self.key_span(key), fault);
        Vec::new()
    }

    /// The names and values of a table whose keys are not fixed.
    pub fn entries(&self) -> impl Iterator<Item = (Located<&'s str>, &'s Spanned<DeValue<'s>>)> {
        self.entries
            .iter()
            .map(|(key, value)| (Located { value: key.get_ref().as_ref(), span: key.span() }, value))
    }

    /// The value of an entry as a table with a title of its own.
    pub fn as_table(&self, key: &str, value: &'s Spanned<DeValue<'s>>, title: String) -> Option<Table<'s>> {
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong(key, value, "a table");
            return None;
        };
        let header = if value.span().is_empty() { self.key_span(key) } else { value.span() };
        Some(Table { source: self.source, entries, title, header, asked: RefCell::default() })
    }

    /// The value of an entry as a text.
    pub fn as_text(&self, key: &str, value: &'s Spanned<DeValue<'s>>) -> Option<Located<&'s str>> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong(key, value, "a text in quotes");
        }
        text.map(|text| Located { value: text, span: value.span() })
    }

    /// Notes a value of the wrong type.
    pub fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &'static str) {
        let found = value.get_ref().type_str();
        let fault = Fault::new(
            format!("`{key}` in {} has the wrong type, {found}", self.title),
            expected,
            format!("`{key}` takes {expected}"),
        );
        self.note(value.span(), fault);
    }

    /// The value of a key, which is known from now on.
    pub fn take(&self, key: &'static str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.asked.borrow_mut().push(key);
        self.find(key).map(|(_, value)| value)
    }

    /// Notes every key that was never asked for, and says which keys were.
    pub fn finish(self) -> Vec<&'static str> {
        let mut asked = self.asked.into_inner();
        asked.sort_unstable();
        asked.dedup();
        for key in self.entries.keys().filter(|key| !asked.contains(&key.get_ref().as_ref())) {
            let fault = Fault::new(
                format!("unknown key `{}` in {}", key.get_ref(), self.title),
                "not known here",
                suggest::advice(key.get_ref(), asked.iter().copied()),
            );
            self.source.note(key.span(), fault);
        }
        asked
    }

    /// Where a key stands.
    pub fn key_span(&self, key: &str) -> Range<usize> {
        self.find(key).map_or(0..0, |(key, _)| key.span())
    }

    fn find(&self, key: &str) -> Option<(&'s Spanned<std::borrow::Cow<'s, str>>, &'s Spanned<DeValue<'s>>)> {
        self.entries.iter().find(|(k, _)| k.get_ref() == key)
    }
}
