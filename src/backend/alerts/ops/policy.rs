//! What a silence may look like: the exact labels of one alert, narrow enough that nothing else goes quiet unseen.

use super::super::labels::Labels;
use super::super::matcher::Matcher;

/// Labels that tell which copy of a server or scrape sent the alert, not what it is about: they change by themselves.
const PLUMBING: [&str; 6] = ["prometheus", "prometheus_replica", "replica", "endpoint", "uid", "__replica__"];
/// Labels by which an alert is about something in particular.
const PLACES: [&str; 3] = ["instance", "namespace", "job"];
/// Labels that many unrelated alerts share.
const BROAD: [&str; 4] = ["alertname", "severity", "cluster", "prometheus"];

/// The matchers that silence one alert and nothing else.
pub fn own(labels: &Labels) -> Vec<Matcher> {
    let all = labels.iter().map(|(name, value)| (&**name, &**value));
    all.filter(|(name, _)| !PLUMBING.contains(name))
        .map(|(name, value)| Matcher::exact(name, value))
        .collect()
}

/// Reads the form's field, one matcher a line; empty lines are skipped.
pub fn read(text: &str) -> Result<Vec<Matcher>, String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(Matcher::parse).collect()
}

/// Checks matchers against the alert that they are for; the error says what is wrong with them.
///
/// Returns what the operator must know of them all the same.
pub fn check(matchers: &[Matcher], labels: &Labels) -> Result<Option<&'static str>, String> {
    if matchers.is_empty() {
        return Err("a silence without matchers would silence everything".to_owned());
    }
    for matcher in matchers {
        if !matcher.is_exact() {
            return Err(format!(
                "{matcher} is a pattern or a negation: only exact values are sent from here"
            ));
        }
        if matcher.value.is_empty() {
            return Err(format!("{matcher} matches every alert that has no such label"));
        }
        if labels.get(&matcher.name) != matcher.value {
            return Err(format!("{matcher} does not match this alert"));
        }
    }
    let names = |name: &&str| matchers.iter().any(|matcher| matcher.name == *name);
    if labels.find("alertname").is_some() && !names(&"alertname") {
        return Err("without alertname it would silence other alerts too".to_owned());
    }
    if PLACES.iter().any(|place| labels.find(place).is_some()) && !PLACES.iter().any(names) {
        return Err(format!("one of {} must be among the matchers", PLACES.join(", ")));
    }
    let broad = matchers.iter().all(|matcher| BROAD.contains(&matcher.name.as_str()));
    let could_be_narrower = labels.iter().any(|(name, _)| !BROAD.contains(&&**name));
    match (broad, could_be_narrower) {
        (false, _) => Ok(None),
        (true, true) => Err("it would silence every alert of this name; add what it is about".to_owned()),
        (true, false) if labels.find("alertname").is_none() => {
            Err("the alert has no name and nothing that tells it apart".to_owned())
        }
        (true, false) => {
            Ok(Some("the alert has no labels that tell it apart: every alert of this name goes quiet"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Labels {
        let pairs = [
            ("alertname", "KubePodCrashLooping"),
            ("cluster", "cloud"),
            ("namespace", "media"),
            ("pod", "lidarr-0"),
            ("prometheus", "monitoring/k"),
            ("severity", "warning"),
        ];
        pairs.into_iter().collect()
    }

    #[test]
    fn an_alerts_own_matchers_are_exact_and_without_plumbing() {
        let own = own(&alert());
        let names: Vec<&str> = own.iter().map(|matcher| matcher.name.as_str()).collect();
        assert_eq!(names, ["alertname", "cluster", "namespace", "pod", "severity"]);
        assert_eq!(check(&own, &alert()), Ok(None));
    }

    #[test]
    fn matchers_that_reach_too_far_are_refused_with_the_reason() {
        let cases = [
            ("", "everything"),
            ("severity=warning", "without alertname"),
            ("alertname=KubePodCrashLooping", "one of instance, namespace, job"),
            ("alertname=KubePodCrashLooping\nnamespace=~media|books", "pattern"),
            ("alertname=KubePodCrashLooping\nnamespace!=x", "negation"),
            ("alertname=KubePodCrashLooping\nnamespace=books", "does not match"),
            ("alertname=KubePodCrashLooping\nnamespace=media\nteam=", "no such label"),
        ];
        for (text, reason) in cases {
            let error = check(&read(text).unwrap(), &alert()).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert_eq!(
            check(&read("alertname=KubePodCrashLooping\n\nnamespace=\"media\"\n").unwrap(), &alert()),
            Ok(None)
        );
    }

    #[test]
    fn alerts_with_few_labels_are_silenced_only_knowingly() {
        let nothing: Labels = [("alertname", "EdgeNoSeverity")].into_iter().collect();
        assert!(check(&own(&nothing), &nothing).unwrap().is_some());
        let thing: Labels = [("alertname", "X"), ("id", "qemu/110")].into_iter().collect();
        assert_eq!(check(&own(&thing), &thing), Ok(None));
        assert!(check(&read("alertname=X").unwrap(), &thing).is_err());
        let unnamed: Labels = [("severity", "critical")].into_iter().collect();
        assert!(check(&own(&unnamed), &unnamed).is_err());
    }
}
