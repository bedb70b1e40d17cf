use crate::model::id::EntityId;
use crate::model::row::Row;

use super::looks::{Look, Looks, Runbooks, fits, shipped};

#[test]
fn the_shipped_table_can_be_read_and_every_look_is_for_something() {
    let looks = shipped().unwrap();
    assert!(looks.len() > 8);
    for look in looks {
        assert!(!look.alert.is_empty() || !look.kind.is_empty(), "{look:?}");
        assert!(!look.see.is_empty(), "{look:?}");
    }
}

#[test]
fn patterns_fit_as_they_read() {
    let cases = [
        ("ServiceDown", "ServiceDown", true),
        ("ServiceDown", "ServiceDownAgain", false),
        ("Authentik*", "AuthentikForwardAuth400Spike", true),
        ("*Backup*", "VeleroNoRecentBackupFound", true),
        ("Kube*Down", "KubeletDown", true),
        ("Kube*Down", "KubeNodeNotReady", false),
        ("probe.*", "probe.targets", true),
        ("*", "", true),
    ];
    for (pattern, name, expected) in cases {
        assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn the_operators_own_look_comes_first_and_runbooks_are_found_by_name() {
    let own = Look { alert: vec!["Service*".into()], see: vec!["proxmox.nodes".into()], ..Look::default() };
    let looks = Looks::new(vec![own.clone()], Runbooks::from([("servicedown".into(), "# Do this".into())]));
    let alert = Row::new(EntityId::new("alerts.alerts", "x", "f"), "ServiceDown", vec![]);
    let found = looks.of(&alert);
    assert_eq!(*found[0], own);
    assert!(found.len() > 1);
    assert_eq!(looks.runbook("ServiceDown"), Some("# Do this"));
    let unknown = Row::new(EntityId::new("alerts.alerts", "x", "f"), "Unheard", vec![]);
    assert!(looks.of(&unknown).is_empty());
}
