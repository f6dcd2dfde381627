//! Task ids of PVE.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;

/// The id of a task: `UPID:<node>:<pid>:<pstart>:<starttime>:<type>:<id>:<user>:`.
///
/// The form is that of pve-common, `PVE/UPID.pm`. The text is kept as PVE wrote it; the parts are read out of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Upid {
    text: String,
    start_time: i64,
}

impl Upid {
    /// The node that runs the task; only that node can be asked about it.
    pub fn node(&self) -> &str {
        self.part(1)
    }

    /// When it started, in seconds since 1970.
    pub fn start_time(&self) -> i64 {
        self.start_time
    }

    /// What it does, such as `vzstart`.
    pub fn kind(&self) -> &str {
        self.part(5)
    }

    /// What it does it to, such as a VMID; empty for tasks of the node.
    pub fn id(&self) -> &str {
        self.part(6)
    }

    /// Who started it: a user, or a token with its full id.
    pub fn user(&self) -> &str {
        self.part(7)
    }

    /// The whole id as PVE wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn part(&self, n: usize) -> &str {
        self.text.split(':').nth(n).unwrap_or_default()
    }
}

impl FromStr for Upid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.split(':').collect();
        let &["UPID", node, pid, pstart, start, kind, id, user, ""] = parts.as_slice() else {
            return Err(refused(text));
        };
        let is_fine = is_node_name(node)
            && is_hex(pid, 8..=8)
            && is_hex(pstart, 8..=9)
            && is_hex(start, 8..=8)
            && is_word(kind)
            && (id.is_empty() || is_word(id))
            && is_word(user);
        match i64::from_str_radix(start, 16) {
            Ok(start_time) if is_fine => Ok(Self {
                text: text.to_owned(),
                start_time,
            }),
            _ => Err(refused(text)),
        }
    }
}

fn refused(text: &str) -> Error {
    Error::invalid(
        "task id",
        format!(
            "{:?} has not the form of a UPID",
            text.chars().take(200).collect::<String>()
        ),
    )
}

fn is_node_name(text: &str) -> bool {
    let is_alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    is_alphanumeric(text.chars().next())
        && is_alphanumeric(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_hex(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '/')
}

impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Upid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Upid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_parts_of_a_recorded_task() {
        let text = "UPID:pve1:000008B3:00043EFE:6B01147C:vzstart:101:ops@pve!full:";
        let upid: Upid = text.parse().expect("recorded from PVE 9.1.9");
        assert_eq!(
            (upid.node(), upid.kind(), upid.id(), upid.user()),
            ("pve1", "vzstart", "101", "ops@pve!full")
        );
        assert_eq!(upid.start_time(), 1_795_232_892);
        assert_eq!(upid.to_string(), text);
    }

    #[test]
    fn the_object_may_be_empty() {
        let upid: Upid = "UPID:pve1:00000CFA:0004AAFC:6B011591:vncshell::ops@pve!full:"
            .parse()
            .expect("recorded");
        assert_eq!(upid.id(), "");
    }

    #[test]
    fn refuses_other_texts() {
        for text in [
            "",
            "OK",
            "UPID:pve1:000008B3:00043EFE:6B01147C:vzstart:101:ops@pve!full",
            "UPID:pve1:8B3:00043EFE:6B01147C:vzstart:101:ops@pve:",
            "UPID:../x:000008B3:00043EFE:6B01147C:vzstart:101:ops@pve:",
            "UPID:-pve:000008B3:00043EFE:6B01147C:vzstart:101:ops@pve:",
            "UPID:pve1:000008B3:00043EFE:6B01147G:vzstart:101:ops@pve:",
            "UPID:pve1:000008B3:00043EFE:6B01147C:vzstart:10 1:ops@pve:",
            "UPID:pve1:000008B3:00043EFE:6B01147C::101:ops@pve:",
        ] {
            assert!(text.parse::<Upid>().is_err(), "{text} was taken for a UPID");
        }
    }

    proptest! {
        #[test]
        fn what_pve_can_write_comes_back_unchanged(
            node in "[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?",
            numbers in "[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}",
            kind in "[a-z]{2,12}",
            id in "[A-Za-z0-9._-]{0,10}",
            user in "[a-z]{1,8}@[a-z]{2,5}(![a-z]{2,8})?",
        ) {
            let text = format!("UPID:{node}:{numbers}:{kind}:{id}:{user}:");
            let upid: Upid = text.parse().expect("the form of PVE");
            prop_assert_eq!(upid.to_string(), text);
            prop_assert_eq!((upid.node(), upid.kind(), upid.id(), upid.user()), (&*node, &*kind, &*id, &*user));
        }

        #[test]
        fn any_text_is_read_or_refused_but_never_panics(text in "(UPID:)?[ -~é:]{0,80}") {
            if let Ok(upid) = text.parse::<Upid>() {
                prop_assert_eq!(upid.as_str(), text);
            }
        }
    }
}
