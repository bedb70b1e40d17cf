//! Lists as the server makes them: known filters, the rest ignored in silence, and page sizes by release.

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{self, Refusal};
use super::request::Request;

/// How a parameter picks rows.
pub enum Filter {
    /// The field, which may be nested (`user.username`), must be exactly this text.
    Exact(&'static str, &'static str),
    /// The field must be this flag; anything that is no flag is ignored.
    Flag(&'static str, &'static str),
    /// The field must be one of those that are given; others are refused.
    OneOf(&'static str, &'static str, &'static [&'static str]),
    /// The field contains this text, in any case.
    Contains(&'static str, &'static str),
    /// The object of attributes holds this: lookups with `__`, and anything that is no object is refused.
    Attributes,
    /// One of these fields contains the text, in any case.
    Search(&'static [&'static str]),
}

impl Filter {
    /// Whether it lets a row through; the error is a refusal of the value.
    pub fn passes(&self, row: &Value, request: &Request) -> Result<bool, Refusal> {
        match self {
            Self::Exact(param, field) => {
                Ok(request.param(param).is_none_or(|wanted| text(at(row, field)) == wanted))
            }
            Self::Flag(param, field) => Ok(match request.param(param) {
                Some("true") => at(row, field) == &json!(true),
                Some("false") => at(row, field) == &json!(false),
                _ => true,
            }),
            Self::OneOf(param, field, known) => {
                let wanted: Vec<&str> = request.params(param).collect();
                if let Some(wrong) = wanted.iter().find(|value| !known.contains(value)) {
                    let says = format!("Select a valid choice. {wrong} is not one of the available choices.");
                    return Err(Box::new(answer::field(param, &says)));
                }
                Ok(wanted.is_empty() || wanted.contains(&text(at(row, field)).as_str()))
            }
            Self::Contains(param, field) => {
                let wanted = request.param(param).unwrap_or_default().to_lowercase();
                Ok(text(at(row, field)).to_lowercase().contains(&wanted))
            }
            Self::Attributes => {
                let Some(wanted) = request.param("attributes") else { return Ok(true) };
                let Ok(Value::Object(wanted)) = serde_json::from_str(wanted) else {
                    return Err(Box::new(answer::json(400, &json!(["Value must be a dictionary"]))));
                };
                let equal = |(key, value): (&String, &Value)| {
                    at(&row["attributes"], &key.replace("__", ".")) == value
                };
                Ok(wanted.iter().all(equal))
            }
            Self::Search(fields) => {
                let wanted = request.param("search").unwrap_or_default().to_lowercase();
                Ok(fields.iter().any(|field| text(at(row, field)).to_lowercase().contains(&wanted)))
            }
        }
    }
}

/// The rows that pass every filter.
pub fn filtered(rows: Vec<Value>, filters: &[Filter], request: &Request) -> Result<Vec<Value>, Refusal> {
    let mut kept = Vec::new();
    for row in rows {
        let mut passes = true;
        for filter in filters {
            passes &= filter.passes(&row, request)?;
        }
        if passes {
            kept.push(row);
        }
    }
    Ok(kept)
}

/// One page of rows; what `shown` holds back is cut out of the page, not out of the count.
pub fn page<T>(rows: &[T], request: &Request, modern: bool, shown: impl Fn(&T) -> Option<Value>) -> Response {
    let size = size(request, modern);
    let number = request.param("page").map_or(Some(1), |page| page.parse::<usize>().ok()).unwrap_or(0);
    let pages = rows.len().div_ceil(size).max(1);
    if number == 0 || number > pages {
        return answer::detail(404, "Invalid page.");
    }
    let start = (number - 1) * size;
    let end = rows.len().min(start + size);
    let results: Vec<Value> = rows[start..end].iter().filter_map(shown).collect();
    let pagination = json!({
        "next": if number < pages { number + 1 } else { 0 },
        "previous": number - 1,
        "count": rows.len(),
        "current": number,
        "total_pages": pages,
        "start_index": if rows.is_empty() { 0 } else { start + 1 },
        "end_index": end,
    });
    answer::json(200, &json!({ "pagination": pagination, "results": results, "autocomplete": {} }))
}

/// Until 2025.10 the default is 100 without a limit, from 2025.12 it is 20 and more than 100 is cut in silence.
fn size(request: &Request, modern: bool) -> usize {
    let default = if modern { 20 } else { 100 };
    let wanted = request.param("page_size").and_then(|size| size.parse().ok()).filter(|size| *size > 0);
    let size = wanted.unwrap_or(default);
    if modern { size.min(100) } else { size }
}

/// A field, which may be nested.
pub fn at<'a>(row: &'a Value, field: &str) -> &'a Value {
    field.split('.').fold(row, |value, key| value.get(key).unwrap_or(&Value::Null))
}

/// A scalar as the text that a parameter would write.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
