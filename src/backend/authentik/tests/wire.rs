//! Bodies as real servers send them (2026.2.0-rc1 and 2026.8.0-rc1), shortened.

use crate::backend::authentik::wire::{Group, Invitation, OutpostHealth, Page, User};

const INVITATIONS: &str = include_str!("../fixtures/invitations.json");
const USERS: &str = include_str!("../fixtures/users.json");

#[test]
fn real_bodies_are_read() {
    let users: Page<User> = serde_json::from_str(USERS).unwrap();
    assert_eq!((users.pagination.count.0, users.pagination.next.0), (Some(16), Some(0)));
    let user = users.results[1].0.as_ref().unwrap();
    assert_eq!((user.pk.0, &*user.username, user.is_superuser.is_true()), (Some(6), "akadmin", true));
    assert_eq!(&*user.groups_obj[0].name, "authentik Admins");

    let invitations: Page<Invitation> = serde_json::from_str(INVITATIONS).unwrap();
    let invitation = invitations.results[0].0.as_ref().unwrap();
    assert_eq!(
        (&*invitation.flow_obj.slug, &*invitation.created_by.username),
        ("invitation-enrollment", "akadmin")
    );
    assert_eq!(invitation.ends().unwrap().to_string(), "2026-11-29T10:17:57.940103Z");
}

#[test]
fn a_wrong_type_in_any_field_costs_that_field_only() {
    let wrong = ["null", "7", "\"x\"", "true", "[1,[2]]", "{\"a\":{\"b\":1}}"];
    let fields = [
        "pk",
        "username",
        "name",
        "is_active",
        "last_login",
        "groups",
        "groups_obj",
        "attributes",
        "type",
        "fixed_data",
        "created_by",
        "flow_obj",
        "expires",
        "parents",
        "parent",
        "users",
        "roles",
        "last_seen",
        "version",
    ];
    for field in fields {
        for value in wrong {
            let body = format!("{{\"{field}\":{value}}}");
            assert!(serde_json::from_str::<User>(&body).is_ok(), "{body}");
            assert!(serde_json::from_str::<Group>(&body).is_ok(), "{body}");
            assert!(serde_json::from_str::<Invitation>(&body).is_ok(), "{body}");
            assert!(serde_json::from_str::<OutpostHealth>(&body).is_ok(), "{body}");
        }
    }
}

#[test]
fn what_is_no_list_is_no_empty_list() {
    for body in ["{}", r#"{"results":null}"#, r#"{"results":{}}"#, "[]"] {
        assert!(serde_json::from_str::<Page<User>>(body).is_err(), "{body}");
    }
}
