//! Label queries: `,` joins terms that must all hold, `;` or a repeated value joins alternatives.

use std::collections::BTreeMap;

/// Whether labels fit one of the queries; no query fits everything.
pub(super) fn fits(queries: &[String], labels: &BTreeMap<String, String>) -> bool {
    let mut alternatives = queries.iter().flat_map(|query| query.split(';')).peekable();
    alternatives.peek().is_none()
        || alternatives.any(|query| terms(query).iter().all(|term| holds(term, labels)))
}

/// Splits at commas outside parentheses.
fn terms(query: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = query.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|term| !term.is_empty()).collect()
}

fn holds(term: &str, labels: &BTreeMap<String, String>) -> bool {
    let value = |key: &str| labels.get(key.trim()).map(String::as_str);
    if let Some(key) = term.strip_prefix('!') {
        return value(key).is_none();
    }
    for (operator, wanted) in [(" notin ", false), (" in ", true)] {
        if let Some((key, set)) = term.split_once(operator) {
            let set = set.trim().trim_start_matches('(').trim_end_matches(')');
            let inside = value(key).is_some_and(|found| set.split(',').any(|one| plain(one) == found));
            return inside == wanted;
        }
    }
    for (operator, wanted) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, text)) = term.split_once(operator) {
            return (value(key) == Some(plain(text))) == wanted;
        }
    }
    value(term).is_some()
}

fn plain(text: &str) -> &str {
    text.trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_read_as_omnis_grammar_has_them() {
        let labels: BTreeMap<String, String> =
            [("cluster", "prod"), ("role", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let cases = [
            ("cluster=prod", true),
            ("cluster == \"prod\",role", true),
            ("cluster=prod,!role", false),
            ("cluster in (dev, prod)", true),
            ("cluster notin (dev, prod)", false),
            ("cluster!=dev", true),
            ("cluster=dev;role", true),
            ("nothing", false),
        ];
        for (query, fit) in cases {
            assert_eq!(fits(&[query.to_owned()], &labels), fit, "{query}");
        }
        assert!(fits(&[], &labels));
    }
}
