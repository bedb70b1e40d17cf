//! The silences of the pair: validated, updated and expired by the rules of Alertmanager 0.25.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::labels::Labels;
use super::super::matcher::{Matcher, Matchers};
use super::written;

/// A silence as it is kept: times stay in the form in which they were sent.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub id: String,
    matchers: Vec<Matcher>,
    starts: (Timestamp, String),
    ends: (Timestamp, String),
    updated: Timestamp,
    author: String,
    comment: String,
}

/// Why a body was not taken: the status, the frame's code where the frame refused it, and the text.
pub(super) type Refusal = (StatusCode, Option<u16>, String);

/// All silences.
#[derive(Debug, Default)]
pub(super) struct Silences(Vec<Kept>);

impl Silences {
    /// What is kept quiet in the homelab at first.
    pub fn of_the_homelab(began: Timestamp) -> Self {
        let kept = |id: &str, matchers: &[(&str, &str)], hours: (i64, i64), comment: &str| {
            let at = |hours| {
                let at = began + SignedDuration::from_hours(hours);
                (at, written(at))
            };
            Kept {
                id: id.to_owned(),
                matchers: matchers.iter().map(|(name, value)| Matcher::exact(*name, *value)).collect(),
                starts: at(-hours.0),
                ends: at(hours.1),
                updated: began - SignedDuration::from_hours(hours.0),
                author: "admin1".to_owned(),
                comment: comment.to_owned(),
            }
        };
        let known = [("alertname", "CertificateExpiringSoon"), ("host", "auth.lab.example")];
        let old = [("alertname", "NodeClockNotSynchronising"), ("instance", "oci-node-2")];
        Self(vec![
            kept("5f6f6c5a-3f0b-4f9e-9d53-6c1f4f3c7a01", &known, (2, 3), "renewal waits for DNS-01"),
            kept("5f6f6c5a-3f0b-4f9e-9d53-6c1f4f3c7a02", &old, (5, -1), "chrony restarted"),
        ])
    }

    /// The ids of the active silences that match.
    pub fn that_quiet(&self, labels: &Labels, now: Timestamp) -> Vec<String> {
        let quiets = |kept: &&Kept| {
            kept.state(now) == "active"
                && Matchers::new(kept.matchers.iter().cloned()).is_ok_and(|all| all.match_all(labels))
        };
        self.0.iter().filter(quiets).map(|kept| kept.id.clone()).collect()
    }

    /// All of them, in the server's order: active ones by their end, pending ones by their start, expired ones latest first.
    pub fn list(&self, filters: &[Matcher], now: Timestamp) -> Vec<Value> {
        let literal = |kept: &&Kept| filters.iter().all(|filter| kept.matchers.contains(filter));
        let mut found: Vec<&Kept> = self.0.iter().filter(literal).collect();
        found.sort_by_key(|kept| match kept.state(now) {
            "active" => (0, kept.ends.0.as_millisecond()),
            "pending" => (1, kept.starts.0.as_millisecond()),
            _ => (2, -kept.ends.0.as_millisecond()),
        });
        found.into_iter().map(|kept| kept.json(now)).collect()
    }

    /// One by its id.
    pub fn get(&self, id: &str, now: Timestamp) -> Option<Value> {
        self.0.iter().find(|kept| kept.id == id).map(|kept| kept.json(now))
    }

    /// Ends one; twice is no error. False where there is none.
    pub fn expire(&mut self, id: &str, now: Timestamp) -> bool {
        let Some(kept) = self.0.iter_mut().find(|kept| kept.id == id) else { return false };
        kept.expire(now);
        true
    }

    /// Takes a body: makes a silence, changes one in place, or ends one and makes another instead. Returns its id.
    pub fn put(&mut self, body: &Value, now: Timestamp) -> Result<String, Refusal> {
        let (id, mut kept) = read(body)?;
        if kept.ends.0 <= kept.starts.0 {
            return Err(text(
                StatusCode::BAD_REQUEST,
                "Failed to create silence: start time must be before end time",
            ));
        }
        if kept.ends.0 < now {
            return Err(text(
                StatusCode::BAD_REQUEST,
                "Failed to create silence: end time can't be in the past",
            ));
        }
        validate(&kept.matchers)?;
        kept.updated = now;
        if !id.is_empty() {
            let before = self.0.iter_mut().find(|before| before.id == id);
            let before = before.ok_or_else(|| text(StatusCode::NOT_FOUND, "silence not found"))?;
            if before.can_become(&kept, now) {
                kept.id = id;
                *before = kept;
                return Ok(before.id.clone());
            }
            before.expire(now);
        }
        if kept.starts.0 < now {
            kept.starts = (now, written(now));
        }
        kept.id = uuid::Uuid::new_v4().to_string();
        let id = kept.id.clone();
        self.0.push(kept);
        Ok(id)
    }
}

impl Kept {
    fn state(&self, now: Timestamp) -> &'static str {
        match now {
            now if now < self.starts.0 => "pending",
            now if now < self.ends.0 => "active",
            _ => "expired",
        }
    }

    fn expire(&mut self, now: Timestamp) {
        match self.state(now) {
            "expired" => return,
            "pending" => self.starts = (now, written(now)),
            _ => {}
        }
        self.ends = (now, written(now));
        self.updated = now;
    }

    fn can_become(&self, other: &Self, now: Timestamp) -> bool {
        let same = self.matchers == other.matchers;
        match self.state(now) {
            "active" => {
                same && self.starts.0.as_second() == other.starts.0.as_second() && other.ends.0 >= now
            }
            "pending" => same && other.starts.0 >= now,
            _ => false,
        }
    }

    fn json(&self, now: Timestamp) -> Value {
        let matcher = |m: &Matcher| json!({"name": m.name, "value": m.value, "isRegex": m.is_regex, "isEqual": m.is_equal});
        json!({
            "id": self.id,
            "status": {"state": self.state(now)},
            "updatedAt": written(self.updated),
            "comment": self.comment,
            "createdBy": self.author,
            "startsAt": self.starts.1,
            "endsAt": self.ends.1,
            "matchers": self.matchers.iter().map(matcher).collect::<Vec<_>>(),
        })
    }
}

fn text(status: StatusCode, text: &str) -> Refusal {
    (status, None, text.to_owned())
}

fn required(field: &str) -> Refusal {
    (StatusCode::UNPROCESSABLE_ENTITY, Some(602), format!("{field} in body is required"))
}

/// Checks the body's form as the API's frame does; an empty text counts as given.
fn read(body: &Value) -> Result<(String, Kept), Refusal> {
    let word = |field: &str| body.get(field).and_then(Value::as_str).map(str::to_owned);
    let time = |field: &str| {
        let Some(word) = word(field) else { return Ok(None) };
        let parsed = word.parse::<Timestamp>().map(|at| Some((at, word.clone())));
        parsed.map_err(|_| {
            let message = format!(
                "parsing silence body from \"\" failed, because parsing time \"{word}\" as \"2006-01-02 15:04:05\": \
                 cannot parse \"{word}\" as \"2006\""
            );
            (StatusCode::BAD_REQUEST, Some(400), message)
        })
    };
    let (starts, ends) = (time("startsAt")?, time("endsAt")?);
    let author = word("createdBy");
    let comment = word("comment").ok_or_else(|| required("comment"))?;
    let author = author.ok_or_else(|| required("createdBy"))?;
    let ends = ends.ok_or_else(|| required("endsAt"))?;
    let listed = body.get("matchers").and_then(Value::as_array).ok_or_else(|| required("matchers"))?;
    if listed.is_empty() {
        let message = "matchers in body should have at least 1 items".to_owned();
        return Err((StatusCode::UNPROCESSABLE_ENTITY, Some(612), message));
    }
    let mut matchers = Vec::with_capacity(listed.len());
    for (index, matcher) in listed.iter().enumerate() {
        if let Some(missing) =
            ["isRegex", "name", "value"].iter().find(|field| matcher.get(**field).is_none())
        {
            return Err(required(&format!("matchers.{index}.{missing}")));
        }
        matchers.push(serde_json::from_value(matcher.clone()).unwrap_or_default());
    }
    let starts = starts.ok_or_else(|| required("startsAt"))?;
    let kept =
        Kept { id: String::new(), matchers, starts, ends, updated: Timestamp::UNIX_EPOCH, author, comment };
    Ok((word("id").unwrap_or_default(), kept))
}

fn validate(matchers: &[Matcher]) -> Result<(), Refusal> {
    let invalid = |what: String| text(StatusCode::BAD_REQUEST, &format!("silence invalid: {what}"));
    for (index, matcher) in matchers.iter().enumerate() {
        let starts_well = matcher.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts_well || !matcher.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(invalid(format!(
                "invalid label matcher {index}: invalid label name \"{}\"",
                matcher.name
            )));
        }
        if Matchers::new([matcher.clone()]).is_err() {
            let what =
                format!("invalid label matcher {index}: invalid regular expression \"{}\"", matcher.value);
            return Err(invalid(what));
        }
    }
    let nothing = Labels::default();
    let matches_empty = |m: &Matcher| Matchers::new([m.clone()]).is_ok_and(|all| all.match_all(&nothing));
    if matchers.iter().all(matches_empty) {
        return Err(invalid("at least one matcher must not match the empty string".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T10:00:00.500Z";

    fn body() -> Value {
        json!({
            "matchers": [
                {"name": "alertname", "value": "X", "isRegex": false, "isEqual": true},
                {"name": "namespace", "value": "media", "isRegex": false},
            ],
            "startsAt": "2026-11-22T10:59:00.000+01:00", "endsAt": "2026-11-22T12:00:00Z",
            "createdBy": "alice", "comment": "",
        })
    }

    #[test]
    fn the_form_is_checked_as_the_server_checks_it() {
        let cases: [(&str, Value, u16, Option<u16>, &str); 9] = [
            ("comment", Value::Null, 422, Some(602), "comment in body is required"),
            ("createdBy", Value::Null, 422, Some(602), "createdBy in body is required"),
            ("endsAt", Value::Null, 422, Some(602), "endsAt in body is required"),
            ("endsAt", json!("tomorrow"), 400, Some(400), "parsing silence body"),
            ("endsAt", json!("2026-11-22T09:59:30Z"), 400, None, "end time can't be in the past"),
            ("endsAt", json!("2026-11-22T09:00:00Z"), 400, None, "start time must be before end time"),
            ("matchers", json!([]), 422, Some(612), "at least 1 items"),
            ("matchers", json!([{"name": "a", "value": "x"}]), 422, Some(602), "matchers.0.isRegex"),
            ("matchers", json!([{"name": "a", "value": ".*", "isRegex": true}]), 400, None, "empty string"),
        ];
        for (field, value, status, code, part) in cases {
            let mut body = body();
            if value.is_null() {
                body.as_object_mut().unwrap().remove(field)
            } else {
                body.as_object_mut().unwrap().insert(field.into(), value)
            };
            let error = Silences::default().put(&body, NOW.parse().unwrap()).unwrap_err();
            assert_eq!((error.0.as_u16(), error.1), (status, code), "{field}");
            assert!(error.2.contains(part), "{}", error.2);
        }
    }

    #[test]
    fn an_update_keeps_the_id_only_where_matchers_and_start_stay() {
        let now: Timestamp = NOW.parse().unwrap();
        let mut silences = Silences::default();
        let id = silences.put(&body(), now).unwrap();
        let mut same = silences.get(&id, now).unwrap();
        same["endsAt"] = json!("2026-11-22T13:00:00Z");
        assert_eq!(silences.put(&same, now).unwrap(), id);
        let mut turned = same.clone();
        turned["matchers"].as_array_mut().unwrap().reverse();
        let new = silences.put(&turned, now).unwrap();
        assert_ne!(new, id);
        assert_eq!(silences.get(&id, now).unwrap()["status"]["state"], "expired");
        same["id"] = json!("00000000-0000-0000-0000-000000000000");
        assert_eq!(silences.put(&same, now).unwrap_err().0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn times_come_back_as_they_were_sent_unless_the_server_moved_them() {
        let now: Timestamp = NOW.parse().unwrap();
        let mut silences = Silences::default();
        let mut body = body();
        body["endsAt"] = json!("2026-11-22T23:00:00.000+01:00");
        let id = silences.put(&body, now).unwrap();
        let kept = silences.get(&id, now).unwrap();
        assert_eq!(
            (&kept["startsAt"], &kept["endsAt"]),
            (&json!(NOW), &json!("2026-11-22T23:00:00.000+01:00"))
        );
    }
}
