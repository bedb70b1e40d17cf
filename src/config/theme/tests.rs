use std::fs;

use super::*;
use crate::config::colour::Shade;

const DEPTHS: [Depth; 4] = [Depth::Mono, Depth::Sixteen, Depth::Indexed, Depth::True];

fn of(text: &str, depth: Depth) -> Result<Theme, Vec<Report>> {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("themes")).unwrap();
    fs::write(dir.path().join("themes/mine.toml"), text).unwrap();
    Theme::of("mine", depth, Some(dir.path()))
}

/// The colour a shipped theme is made for.
fn base(name: &str) -> Colour {
    let mut base = Colour::Default;
    for layer in FAMILY.chain(name, None).unwrap() {
        file::examine(&layer, |root| {
            base = file::read_palette(root).get("base").map_or(base, |shade| shade.exact);
        })
        .unwrap();
    }
    base
}

/// WCAG 2.2 contrast of two colours, 1 to 21; `None` where one is the terminal's own affair.
fn contrast(a: Colour, b: Colour) -> Option<f64> {
    let (a, b) = (luminance(a)?, luminance(b)?);
    Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
}

fn luminance(colour: Colour) -> Option<f64> {
    let linear = |channel: u8| {
        let level = f64::from(channel) / 255.0;
        if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
    };
    match colour {
        Colour::Rgb(red, green, blue) => {
            Some(0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue))
        }
        _ => None,
    }
}

fn exact(shade: Option<Shade>) -> Colour {
    shade.map_or(Colour::Default, |shade| shade.exact)
}

#[test]
fn every_shipped_theme_styles_every_role_at_every_depth() {
    for name in Theme::shipped() {
        let looks = file::read(&FAMILY.chain(name, None).unwrap())
            .unwrap_or_else(|reports| panic!("{name}: {}", reports[0]));
        assert_eq!(looks.len(), Role::ALL.len(), "{name}");
        for depth in DEPTHS {
            assert!(Theme::of(name, depth, None).is_ok(), "{name}");
        }
    }
}

#[test]
fn every_shipped_theme_can_be_read() {
    for name in Theme::shipped() {
        let base = base(name);
        for (role, look) in file::read(&FAMILY.chain(name, None).unwrap()).unwrap() {
            let needed = match role {
                _ if name == "high-contrast" => 7.0,
                Role::Text | Role::Title | Role::Error | Role::Warn | Role::Selection | Role::Danger => 4.5,
                _ => 3.0,
            };
            let background = if look.bg.is_some() { exact(look.bg) } else { base };
            if let Some(contrast) = contrast(exact(look.fg), background) {
                assert!(contrast >= needed, "{name}: {} has only {contrast:.2}:1", role.name());
            }
        }
    }
}

#[test]
fn the_defaults_can_be_read_on_any_background_of_their_kind() {
    for (name, backgrounds) in
        [("default-dark", ["#000000", "#282c34"]), ("default-light", ["#ffffff", "#f0f0f0"])]
    {
        for (role, look) in file::read(&FAMILY.chain(name, None).unwrap()).unwrap() {
            for background in backgrounds.map(|text| Colour::parse(text).unwrap()) {
                let contrast = contrast(exact(look.fg), background).filter(|_| look.bg.is_none());
                assert!(contrast.is_none_or(|c| c >= 3.0), "{name}: {} on {background:?}", role.name());
            }
        }
    }
}

#[test]
fn ordinary_text_leaves_the_terminals_background_alone() {
    for name in Theme::shipped() {
        for depth in DEPTHS {
            let theme = Theme::of(name, depth, None).unwrap();
            for role in Role::ALL.into_iter().filter(|role| *role != Role::Danger) {
                assert_eq!(theme.style(role).bg, None, "{name}: {}", role.name());
            }
        }
    }
}

#[test]
fn good_bad_unknown_and_off_never_look_alike() {
    for name in Theme::shipped() {
        for depth in DEPTHS {
            // Without colours the word and the glyph carry what a weight cannot.
            if depth == Depth::Mono && name != "mono" {
                continue;
            }
            let theme = Theme::of(name, depth, None).unwrap();
            let states =
                [Role::Ok, Role::Warn, Role::Error, Role::Unknown, Role::Off].map(|role| theme.style(role));
            for (i, a) in states.iter().enumerate() {
                assert!(!states[..i].contains(a), "{name} at {depth:?}: {states:?}");
            }
        }
    }
}

#[test]
fn a_terminal_without_colours_gets_weight_instead() {
    let env = Env::from_iter([("TERM", "xterm-256color"), ("NO_COLOR", "1")]);
    let (theme, reports) = Theme::load(&Ui::default(), &env);
    assert!(reports.is_empty());
    for role in Role::ALL {
        let style = theme.style(role);
        assert_eq!((style.fg, style.bg), (None, None), "{}", role.name());
    }
    assert!(theme.style(Role::Danger).add_modifier.contains(Modifier::REVERSED));
}

#[test]
fn a_light_terminal_gets_the_light_theme_where_one_is_set() {
    let light = Env::from_iter([("TERM", "xterm"), ("COLORFGBG", "0;15")]);
    let dark = Env::from_iter([("TERM", "xterm"), ("COLORFGBG", "15;0")]);
    let pair = Ui { theme: "gruvbox".into(), theme_light: Some("solarized-light".into()), ..Ui::default() };
    let alone = Ui { theme_light: None, ..pair.clone() };
    let shipped = |name| Theme::of(name, Depth::Sixteen, None).unwrap();
    assert_eq!(Theme::load(&pair, &light).0, shipped("solarized-light"));
    assert_eq!(Theme::load(&pair, &dark).0, shipped("gruvbox"));
    assert_eq!(Theme::load(&alone, &light).0, shipped("gruvbox"));
}

#[test]
fn a_palette_alone_recolours_what_it_inherits() {
    let theme = of("inherits = \"nord\"\n[palette]\ngreen = [\"#010203\", \"cyan\"]\n", Depth::True).unwrap();
    assert_eq!(theme.style(Role::Ok).fg, Some(Color::Rgb(1, 2, 3)));
    assert_eq!(theme.style(Role::Error), Theme::of("nord", Depth::True, None).unwrap().style(Role::Error));
    let plain = of("[palette]\ngreen = [\"#010203\", \"cyan\"]\n", Depth::Sixteen).unwrap();
    assert_eq!(plain.style(Role::Ok).fg, Some(Color::Indexed(6)));
}

#[test]
fn a_role_takes_a_literal_colour_a_background_and_styles() {
    let text = "[roles]\nok = { fg = \"#010203\", bg = \"bright-red\", style = [\"italic\", \"strike\"] }\n";
    let style = of(text, Depth::True).unwrap().style(Role::Ok);
    assert_eq!((style.fg, style.bg), (Some(Color::Rgb(1, 2, 3)), Some(Color::Indexed(9))));
    assert_eq!(style.add_modifier, Modifier::ITALIC | Modifier::CROSSED_OUT);
}

#[test]
fn the_series_of_a_chart_begin_again() {
    let theme = Theme::of("default-dark", Depth::True, None).unwrap();
    assert_eq!(theme.style(Role::Chart(7)), theme.style(Role::Chart(1)));
    assert_eq!(theme.style(Role::Chart(0)), theme.style(Role::Chart(1)));
}

#[test]
fn no_two_series_of_a_chart_look_alike_where_there_are_colours() {
    for name in Theme::shipped().filter(|name| *name != "mono") {
        let theme = Theme::of(name, Depth::True, None).unwrap();
        for series in 2..=CHARTS {
            let same = (1..series)
                .find(|other| theme.style(Role::Chart(*other)) == theme.style(Role::Chart(series)));
            assert_eq!(same, None, "{name}: series {series}");
        }
    }
}

#[test]
fn every_way_to_be_wrong_is_told_with_its_place() {
    for (text, what, cure) in [
        ("[roles]\nerorr = \"red\"\n", "there is no role `erorr`", "did you mean `error`?"),
        ("[roles]\nok = \"gren\"\n", "the palette has no such colour", "did you mean `green`?"),
        ("[roles]\nok = 7\n", "has the wrong type, integer", ""),
        ("[roles]\nok = { fg = 7 }\n", "has the wrong type, integer", ""),
        ("[roles]\nok = { foreground = \"red\" }\n", "unknown key `foreground`", "`fg`"),
        ("[roles]\nok = { style = [\"bald\"] }\n", "there is no such style", "did you mean `bold`?"),
        ("[roles]\nok = { style = \"bold\" }\n", "has the wrong type, string", ""),
        ("[palette]\ngreen = \"#12\"\n", "this is not a colour", "six hex digits"),
        ("[palette]\ngreen = \"grene\"\n", "this is not a colour", "did you mean `green`?"),
        ("[palette]\ngreen = [\"green\", \"#010203\"]\n", "none of the sixteen", ""),
        ("[palette]\ngreen = []\n", "this is not a colour", ""),
        ("[palete]\ngreen = \"red\"\n", "unknown key `palete`", "did you mean `palette`?"),
        ("inherits = 7\n", "has the wrong type, integer", ""),
        ("inherits = \"mine\"\n", "the theme `mine` cannot be inherited", ""),
        ("[roles\n", "this is not TOML", ""),
    ] {
        let reports = of(text, Depth::True).expect_err(text);
        let message = reports[0].to_string();
        assert!(message.starts_with("warning: ") && message.contains(what), "{text}{message}");
        assert!(message.contains(cure), "{text}{message}");
    }
}

#[test]
fn a_broken_or_absent_theme_is_replaced_by_the_default_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("vigie/themes")).unwrap();
    fs::write(dir.path().join("vigie/themes/broken.toml"), [0xff, 0xfe]).unwrap();
    fs::create_dir(dir.path().join("vigie/themes/folder.toml")).unwrap();
    let env = Env::from_iter([("XDG_CONFIG_HOME", dir.path().to_str().unwrap())]);
    for (name, told) in [
        ("broken", "not UTF-8"),
        ("folder", "is a directory"),
        ("nrod", "did you mean `nord`?"),
        ("default-drak", ""),
    ] {
        let (theme, reports) = Theme::named(name, Depth::True, &env);
        assert_eq!(theme, Theme::of("default-dark", Depth::True, None).unwrap());
        assert!(reports[0].line().contains("is not used"), "{reports:?}");
        assert!(reports[1].line().contains(told), "{}", reports[1].line());
    }
}
