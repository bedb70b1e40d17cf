//! Task ids: `UPID:node:pid:pstart:start:type:id:user:` carries where a task runs and what it is.

use std::fmt;

/// A task's id, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Upid {
    /// The id as it is.
    pub raw: String,
    /// The node to ask about it.
    pub node: String,
    /// When it began, epoch seconds.
    pub start: i64,
    /// `qmstart`, `vzdump`, …
    pub kind: String,
    /// Mostly a guest's number; may be empty.
    pub id: String,
    /// `user@realm` or `user@realm!token`.
    pub user: String,
}

impl Upid {
    /// Takes an id apart; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split(':').collect();
        let [tag, node, pid, pstart, start, kind, id, user, end] = fields[..] else { return None };
        let hex = |field: &str, sizes: &[usize]| {
            sizes.contains(&field.len()) && field.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let named = |field: &str| field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let whole = tag == "UPID"
            && end.is_empty()
            && named(node)
            && node.starts_with(|c: char| c.is_ascii_alphanumeric())
            && hex(pid, &[8])
            && hex(pstart, &[8, 9])
            && hex(start, &[8])
            && ![kind, user].contains(&"")
            && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
        whole.then_some(())?;
        Some(Self {
            raw: text.to_owned(),
            node: node.to_owned(),
            start: i64::from_str_radix(start, 16).ok()?,
            kind: kind.to_owned(),
            id: id.to_owned(),
            user: user.to_owned(),
        })
    }

    /// The guest it works on.
    pub fn vmid(&self) -> Option<u32> {
        self.id.parse().ok()
    }
}

impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// `OK`.
    Ok,
    /// `WARNINGS: n`: a success that has something to say.
    Warnings(u32),
    /// `unexpected status`: it was killed or its host went down.
    Lost,
    /// Anything else, in the server's words.
    Error(String),
}

impl End {
    /// Reads an exit status.
    pub fn parse(status: &str) -> Self {
        let status = status.trim();
        match status.strip_prefix("WARNINGS: ").and_then(|count| count.parse().ok()) {
            Some(count) => Self::Warnings(count),
            None if status == "OK" => Self::Ok,
            None if status == "unexpected status" => Self::Lost,
            None => Self::Error(status.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_apart() {
        let upid = Upid::parse("UPID:pve:000311F0:019BC9A3:6A605C24:vzdump:101:root@pam!console:").unwrap();
        assert_eq!((upid.node.as_str(), upid.kind.as_str(), upid.vmid()), ("pve", "vzdump", Some(101)));
        assert_eq!((upid.start, upid.user.as_str()), (1_784_699_940, "root@pam!console"));
        let all = Upid::parse("UPID:pve:00032000:019D0000:6A605C60:startall::root@pam!console:").unwrap();
        assert_eq!(all.vmid(), None);
        assert!(Upid::parse("UPID:pve:0000C530:1000C5A30:68A1B2C3:qmstart:100:root@pam:").is_some());
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "OK",
            "UPID:pve:000311F0:019BC9A3:6A605C24:vzdump:101:root@pam",
            "UPID::000311F0:019BC9A3:6A605C24:vzdump:101:root@pam:",
            "UPID:pve:000311F:019BC9A3:6A605C24:vzdump:101:root@pam:",
            "UPID:../x:000311F0:019BC9A3:6A605C24:vzdump:101:root@pam:",
            "UPID:pve:000311F0:019BC9A3:6A605C24:vz dump:101:root@pam:",
            "UPID:pve:000311F0:019BC9A3:6A605C24:vzdump:101:a/b@pam:",
        ] {
            assert_eq!(Upid::parse(text), None, "{text}");
        }
    }

    #[test]
    fn warnings_are_a_success_and_a_killed_task_is_none() {
        assert_eq!(End::parse("OK"), End::Ok);
        assert_eq!(End::parse("WARNINGS: 2"), End::Warnings(2));
        assert_eq!(End::parse("unexpected status"), End::Lost);
        assert!(matches!(End::parse("WARNINGS: many"), End::Error(_)));
        assert!(matches!(End::parse("VM is locked (backup)"), End::Error(_)));
    }
}
