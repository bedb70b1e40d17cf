//! A new context put into a file that holds others: what is not of the same name stays as it is.

use serde_json::{Map, Value};

/// Puts the clusters, users and contexts of a kubeconfig into another one; its current context stays.
///
/// An entry of the same name is replaced, unless it leads to another server: then it is somebody else's.
pub(super) fn kubeconfig(known: &str, new: &str) -> Result<String, String> {
    let (mut known, new) = (mapping(known, "kubeconfig")?, mapping(new, "kubeconfig")?);
    for list in ["clusters", "users", "contexts"] {
        let entries = new.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        let place = known.entry(list).or_insert_with(|| Value::Array(Vec::new()));
        if place.is_null() {
            *place = Value::Array(Vec::new());
        }
        let place = place.as_array_mut().ok_or(format!("the file is no kubeconfig: `{list}` is no list"))?;
        for entry in entries {
            same_goal(place, &entry, "/cluster/server")?;
            put(place, entry);
        }
    }
    for (key, value) in new {
        let empty = known.get(&key).is_none_or(|there| there.is_null() || there == "");
        if empty {
            known.insert(key, value);
        }
    }
    written(known)
}

/// Puts the contexts of a talosconfig into another one; its current context stays.
pub(super) fn talosconfig(known: &str, new: &str) -> Result<String, String> {
    let (mut known, new) = (mapping(known, "talosconfig")?, mapping(new, "talosconfig")?);
    let place = known.entry("contexts").or_insert_with(|| Value::Object(Map::new()));
    let place = place.as_object_mut().ok_or("the file is no talosconfig: `contexts` is no mapping")?;
    let contexts = new.get("contexts").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, context) in contexts {
        let other = place.get(&name).is_some_and(|there| there["endpoints"] != context["endpoints"]);
        if other {
            return Err(elsewhere(&name));
        }
        place.insert(name, context);
    }
    if let (None | Some(Value::Null), Some(context)) = (known.get("context"), new.get("context")) {
        known.insert("context".to_owned(), context.clone());
    }
    written(known)
}

fn mapping(text: &str, what: &str) -> Result<Map<String, Value>, String> {
    match serde_saphyr::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(format!("the file is no {what}: it is no mapping")),
        Err(error) => {
            let line = crate::backend::error::first_line(&error.to_string());
            Err(format!("the file is no {what}: {line}"))
        }
    }
}

fn same_goal(place: &[Value], entry: &Value, goal: &str) -> Result<(), String> {
    let there = place.iter().find(|known| known["name"] == entry["name"]);
    let other = there.is_some_and(|known| known.pointer(goal) != entry.pointer(goal));
    if other { Err(elsewhere(entry["name"].as_str().unwrap_or_default())) } else { Ok(()) }
}

fn elsewhere(name: &str) -> String {
    format!("`{name}` in the file leads to another server; write to a file of its own")
}

fn put(place: &mut Vec<Value>, entry: Value) {
    match place.iter_mut().find(|known| known["name"] == entry["name"]) {
        Some(known) => *known = entry,
        None => place.push(entry),
    }
}

fn written(fields: Map<String, Value>) -> Result<String, String> {
    serde_saphyr::to_string(&Value::Object(fields)).map_err(|error| format!("it cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KNOWN: &str = "apiVersion: v1\nkind: Config\ncurrent-context: home\npreferences: {}\n\
        clusters:\n- name: home\n  cluster: {server: 'https://192.0.2.10:6443'}\n\
        contexts:\n- name: home\n  context: {cluster: home, user: me, namespace: 'yes'}\n\
        users:\n- name: me\n  user: {token: '0123', username: 'null'}\n";

    fn new(server: &str, token: &str) -> String {
        json!({"apiVersion": "v1", "kind": "Config", "current-context": "omni-prod",
            "clusters": [{"name": "omni-prod", "cluster": {"server": server}}],
            "users": [{"name": "omni-prod", "user": {"token": token}}],
            "contexts": [{"name": "omni-prod", "context": {"cluster": "omni-prod", "user": "omni-prod"}}]})
        .to_string()
    }

    fn read(text: &str) -> Value {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn a_new_context_leaves_the_others_as_they_were() {
        let merged = kubeconfig(KNOWN, &new("https://a.example", "t1")).unwrap();
        let (before, after) = (read(KNOWN), read(&merged));
        for list in ["clusters", "users", "contexts"] {
            assert_eq!(after[list][0], before[list][0], "{merged}");
            assert_eq!(after[list][1]["name"], "omni-prod");
        }
        assert_eq!(after["current-context"], "home");
        // A second time only its own entry changes.
        let again = kubeconfig(&merged, &new("https://a.example", "t2")).unwrap();
        assert_eq!(read(&again)["users"].as_array().unwrap().len(), 2);
        assert_eq!(read(&again)["users"][1]["user"]["token"], "t2");
    }

    #[test]
    fn an_empty_file_takes_all_of_it() {
        let merged = read(&kubeconfig("", &new("https://a.example", "t")).unwrap());
        assert_eq!((&merged["current-context"], &merged["kind"]), (&json!("omni-prod"), &json!("Config")));
    }

    #[test]
    fn somebody_elses_context_and_what_is_no_kubeconfig_are_refused() {
        let merged = kubeconfig(KNOWN, &new("https://a.example", "t")).unwrap();
        let other = kubeconfig(&merged, &new("https://b.example", "t")).unwrap_err();
        assert!(other.contains("`omni-prod` in the file leads to another server"), "{other}");
        for text in ["- a\n", "clusters: 7\n", "a: [\n"] {
            let error = kubeconfig(text, &new("x", "y")).unwrap_err();
            assert!(error.starts_with("the file is no kubeconfig") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_talosconfig_takes_a_context_and_keeps_its_own() {
        let known = "context: home\ncontexts:\n  home: {endpoints: [192.0.2.10], ca: 'AA=='}\n";
        let new = "context: omni-prod\ncontexts:\n  omni-prod: {endpoints: ['https://a.example']}\n";
        let merged = read(&talosconfig(known, new).unwrap());
        assert_eq!(merged["context"], "home");
        assert_eq!(merged["contexts"]["home"], read(known)["contexts"]["home"]);
        assert_eq!(merged["contexts"]["omni-prod"]["endpoints"][0], "https://a.example");
        let stranger = "contexts:\n  home: {endpoints: ['https://a.example']}\n";
        assert!(talosconfig(known, stranger).unwrap_err().contains("another server"));
    }
}
