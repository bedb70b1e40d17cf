//! A form as an operator meets it.

use insta::assert_snapshot;
use proptest::prelude::proptest;

use crate::model::op::FieldKind;
use crate::ui::testing::{Screen, World, act, typed};

use super::*;

fn fields() -> Vec<Field> {
    vec![
        Field::new("label", "label", FieldKind::Line, "Whom it is for; only you see it."),
        Field::new("group", "group", FieldKind::Offered, "The group that the new user joins."),
        Field::new("expires", "expires in", FieldKind::Duration { max: 604_800 }, "At most 7d.")
            .default("2d"),
        Field::new("once", "single use", FieldKind::Flag, "Whether it works once only.").default("true"),
        Field::new("text", "message", FieldKind::Lines, "Sent along with the link.").optional(),
    ]
}

fn offered() -> Vec<Field> {
    let mut fields = fields();
    fields[1].kind = FieldKind::Choice(vec!["family-validated".into(), "family-app-navidrome".into()]);
    fields
}

fn form() -> Form {
    Form::new("invite", "Creates an invitation and shows its link once.", fields()).waiting()
}

#[test]
fn it_shows_its_fields_and_what_the_focused_one_means() {
    let world = World::lab();
    let mut form = form();
    assert_snapshot!(Screen::of(&mut form, 80, 24, &world).text());
}

#[test]
fn nothing_goes_before_the_server_has_said_what_it_offers() {
    let world = World::lab();
    let mut form = form();
    act(&mut form, &world, &typed("for b2"));
    form.at = 5;
    assert_eq!(act(&mut form, &world, &[Action::Enter]), Outcome::Consumed);
    form.offer(offered());
    assert_eq!(form.args()["label"], "for b2", "what was typed stays");
}

#[test]
fn wrong_values_are_named_beside_their_fields() {
    let world = World::lab();
    let mut form = form();
    form.offer(offered());
    form.at = 2;
    act(&mut form, &world, &[Action::DeleteLine]);
    act(&mut form, &world, &typed("9d"));
    form.at = 5;
    assert_eq!(act(&mut form, &world, &[Action::Enter]), Outcome::Consumed);
    assert_eq!(form.at, 0, "the first that is wrong");
    form.at = 2;
    let screen = Screen::of(&mut form, 80, 24, &world);
    assert_snapshot!(screen.text());
    assert_eq!(screen.style_of("`9d` is more").fg, world.theme.style(Role::Error).fg);
}

#[test]
fn a_choice_is_picked_from_a_list_or_stepped_through() {
    let world = World::lab();
    let mut form = form();
    form.offer(offered());
    act(&mut form, &world, &[Action::NextField, Action::Enter]);
    assert_eq!(form.context(), Context::Picker);
    assert_snapshot!(Screen::of(&mut form, 80, 24, &world).text());
    act(&mut form, &world, &[Action::Down, Action::Enter]);
    assert_eq!((form.context(), &*form.args()["group"]), (Context::Form, "family-app-navidrome"));
    act(&mut form, &world, &[Action::Right]);
    assert_eq!(form.args()["group"], "family-validated");
}

#[test]
fn a_filled_form_submits_its_values() {
    let world = World::lab();
    let mut form = form();
    form.offer(offered());
    act(&mut form, &world, &typed("aunt"));
    act(&mut form, &world, &[Action::Enter, Action::Right, Action::NextField, Action::NextField]);
    act(&mut form, &world, &[Action::Insert(' '), Action::NextField, Action::Insert('h'), Action::Enter]);
    act(&mut form, &world, &[Action::Paste("i\u{1b}[31m\nthere".into()), Action::NextField]);
    let outcome = act(&mut form, &world, &[Action::Enter]);
    let expected = [
        ("label", "aunt"),
        ("group", "family-validated"),
        ("expires", "2d"),
        ("once", "false"),
        ("text", "h\ni\nthere"),
    ];
    let args = expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(outcome, Outcome::emit(Request::Submit(args)));
}

#[test]
fn trouble_is_shown_until_something_is_typed() {
    let world = World::lab();
    let mut form = Form::new("silence", "Silences an alert.", fields());
    form.fail("app: the matcher is not exact");
    assert!(Screen::of(&mut form, 80, 24, &world).text().contains("the matcher is not exact"));
    act(&mut form, &world, &typed("x"));
    assert!(!Screen::of(&mut form, 80, 24, &world).text().contains("the matcher is not exact"));
}

proptest! {
    #[test]
    fn any_size_can_be_drawn(width in 1_u16..90, height in 1_u16..20, at in 0_usize..6) {
        let world = World::lab();
        let mut form = form();
        form.offer(offered());
        form.at = at;
        act(&mut form, &world, &typed("漢字 text"));
        act(&mut form, &world, &[Action::Enter]);
        Screen::of(&mut form, width, height, &world);
    }
}
