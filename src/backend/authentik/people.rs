//! Groups as a whole: who is above whom, and which of them nobody is invited into.

use std::collections::{BTreeMap, BTreeSet};

use super::wire::{Group, User};

/// Every group by its primary key.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    by_pk: BTreeMap<String, Group>,
    admin: BTreeSet<String>,
    administrators: BTreeSet<i64>,
}

impl Groups {
    /// Takes a complete list; `configured` names the groups that are for administrators.
    ///
    /// A member of a group is a member of everything above it, so a group below an administrators' group is one too.
    pub fn new(groups: Vec<Group>, configured: &[String]) -> Self {
        let by_pk: BTreeMap<String, Group> =
            groups.into_iter().map(|group| (group.pk.as_str().to_owned(), group)).collect();
        let mut groups = Self { by_pk, admin: BTreeSet::new(), administrators: BTreeSet::new() };
        let is_admin = |group: &&Group| {
            let named = configured.iter().any(|name| name.to_lowercase() == group.name.to_lowercase());
            named || group.is_superuser.0.unwrap_or(true)
        };
        let roots: BTreeSet<String> =
            groups.iter().filter(is_admin).map(|group| group.pk.as_str().to_owned()).collect();
        let below = |group: &&Group| groups.with_ancestors(&group.pk).iter().any(|pk| roots.contains(pk));
        groups.admin = groups.iter().filter(below).map(|group| group.pk.as_str().to_owned()).collect();
        groups
    }

    /// Which of these users are administrators, by number.
    pub fn administrators<'u>(&self, users: impl IntoIterator<Item = &'u User>) -> BTreeSet<i64> {
        let admin = |user: &&User| {
            let mut direct = user.groups.iter().flat_map(crate::backend::lenient::Words::iter);
            direct.any(|pk| self.is_admin(pk))
        };
        users.into_iter().filter(admin).filter_map(|user| user.pk.0).collect()
    }

    /// Keeps in mind which users are administrators.
    #[must_use]
    pub fn knowing(mut self, administrators: BTreeSet<i64>) -> Self {
        self.administrators = administrators;
        self
    }

    /// Whether a user is known to be an administrator.
    pub fn is_administrator(&self, pk: i64) -> bool {
        self.administrators.contains(&pk)
    }

    /// All of them, by primary key.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.by_pk.values()
    }

    /// One by its primary key.
    pub fn get(&self, pk: &str) -> Option<&Group> {
        self.by_pk.get(pk)
    }

    /// Those of exactly this name; more than one where the server allows it.
    pub fn named(&self, name: &str) -> Vec<&Group> {
        self.iter().filter(|group| group.name.as_str() == name).collect()
    }

    /// The one of exactly this name; the error says what there is instead.
    pub fn exactly(&self, name: &str) -> Result<&Group, String> {
        match (self.named(name).as_slice(), self.near(name).join(", ")) {
            ([group], _) => Ok(group),
            ([], near) if near.is_empty() => Err(format!("no group is called exactly `{name}`")),
            ([], near) => Err(format!("no group is called exactly `{name}`; there are {near}")),
            (many, _) => Err(format!("{} groups are called {name}", many.len())),
        }
    }

    /// Whether its members are, or may become, administrators; a group whose rights cannot be read counts as one.
    pub fn is_admin(&self, pk: &str) -> bool {
        self.admin.contains(pk)
    }

    /// A group and everything above it, however deep, even in a circle.
    pub fn with_ancestors(&self, pk: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut next = vec![pk.to_owned()];
        while let Some(pk) = next.pop() {
            if let Some(group) = self.by_pk.get(&pk) {
                next.extend(group.above().filter(|above| !seen.contains(*above)).map(str::to_owned));
            }
            seen.insert(pk);
        }
        seen
    }

    /// The names of the groups into which people may be invited, in alphabetical order.
    pub fn inviting(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .iter()
            .filter(|group| !self.is_admin(&group.pk))
            .map(|group| group.name.as_str().to_owned())
            .collect();
        names.sort();
        names
    }

    /// Names that somebody may have meant: equal but for case, or containing each other.
    pub fn near(&self, name: &str) -> Vec<&str> {
        let wanted = name.to_lowercase();
        let near = |group: &&Group| {
            let known = group.name.to_lowercase();
            !wanted.is_empty() && (known.contains(&wanted) || wanted.contains(&known))
        };
        self.iter().filter(near).map(|group| group.name.as_str()).collect()
    }
}

/// Users that a person could take for this one: the same name or address, or a user name within the other.
pub fn twins<'a>(user: &User, all: &'a [User]) -> Vec<&'a User> {
    let same = |a: &str, b: &str| !a.trim().is_empty() && a.trim().to_lowercase() == b.trim().to_lowercase();
    let within = |a: &str, b: &str| a.len() > 2 && b.to_lowercase().contains(&a.to_lowercase());
    let alike = |other: &&User| {
        let names = within(&user.username, &other.username) || within(&other.username, &user.username);
        other.pk != user.pk && (names || same(&user.name, &other.name) || same(&user.email, &other.email))
    };
    all.iter().filter(alike).collect()
}

/// Whether a user could be taken for somebody of this label.
pub fn resembles(user: &User, slug: &str) -> bool {
    let plain = |text: &str| super::ops::slug(text);
    let (username, name) = (plain(&user.username), plain(&user.name));
    let within = |text: &str| !text.is_empty() && (text.contains(slug) || slug.contains(text));
    slug.len() > 2 && (within(&username) || within(&name))
}

#[cfg(test)]
pub mod tests {
    use crate::backend::lenient::{Flag, Words};

    use super::*;

    /// A group of a name, which is its key as well.
    pub fn group(name: &str, above: &[&str], superuser: bool) -> Group {
        Group {
            pk: name.into(),
            name: name.into(),
            is_superuser: Flag(Some(superuser)),
            parents: Words(above.iter().map(|name| (*name).into()).collect()),
            ..Group::default()
        }
    }

    #[test]
    fn nobody_is_invited_into_an_administrators_group_nor_below_one() {
        let groups = vec![
            group("authentik Admins", &[], true),
            group("admin", &[], false),
            group("helpers", &["admin"], false),
            group("interns", &["helpers"], false),
            group("family", &[], false),
            group("family-kids", &["family"], false),
            Group { is_superuser: Flag(None), ..group("garbled", &[], false) },
        ];
        let groups = Groups::new(groups, &["Admin".to_owned()]);
        assert_eq!(groups.inviting(), ["family", "family-kids"]);
    }

    #[test]
    fn a_circle_of_groups_ends() {
        let groups = Groups::new(vec![group("a", &["b"], false), group("b", &["a"], false)], &[]);
        assert_eq!(groups.with_ancestors("a").len(), 2);
    }

    #[test]
    fn the_parent_of_old_releases_counts_as_well() {
        let old = Group { parent: "admin".into(), ..group("helpers", &[], false) };
        let groups = Groups::new(vec![group("admin", &[], false), old], &["admin".to_owned()]);
        assert!(groups.is_admin("helpers"));
    }

    #[test]
    fn names_are_exact_and_near_ones_are_only_named() {
        let groups = Groups::new(vec![group("family", &[], false), group("Family-App", &[], false)], &[]);
        assert!(groups.named("FAMILY").is_empty());
        assert_eq!(groups.near("FAMILY"), ["Family-App", "family"]);
    }

    #[test]
    fn twins_are_those_whom_a_search_would_mix_up() {
        let user = |pk, username: &str, name: &str| User {
            pk: crate::backend::lenient::Int(Some(pk)),
            username: username.into(),
            name: name.into(),
            ..User::default()
        };
        let all = [
            user(9, "aunt", "Aunt Alma"),
            user(10, "AUNT2", ""),
            user(11, "cousin", "aunt alma"),
            user(12, "dan", ""),
        ];
        let names: Vec<i64> = twins(&all[0], &all).iter().filter_map(|twin| twin.pk.0).collect();
        assert_eq!(names, [10, 11]);
    }
}
