//! Alpine's order, as apk-tools 3 has it: `1.2.3b_rc1_p2~hash-r4`. apk-tools 2 differs only where a part begins with a zero
//! and another follows, and in texts that version 3 calls invalid.

use std::cmp::Ordering;

use super::{numbers, split_while};

/// Suffixes in their order; those before the middle one come before a version without suffix.
const SUFFIXES: [&str; 10] = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"];
const NO_SUFFIX: usize = 4;

/// A part of a version. The order of the variants decides between versions that differ in kind: the earlier kind is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    First(&'a [u8]),
    Digits(&'a [u8]),
    Letter(u8),
    Suffix(usize),
    SuffixNumber(&'a [u8]),
    Commit(&'a [u8]),
    Revision(&'a [u8]),
    End,
    Unknown(&'a [u8]),
}

pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (Parts::of(one), Parts::of(other));
    loop {
        let (part, other_part) = (one.next(), other.next());
        if part == Part::End && other_part == Part::End {
            return Ordering::Equal;
        }
        let order = order(part, other_part);
        if order.is_ne() {
            return order;
        }
        if matches!(part, Part::Unknown(_)) {
            return Ordering::Equal;
        }
    }
}

fn order(one: Part<'_>, other: Part<'_>) -> Ordering {
    match (one, other) {
        (Part::First(one), Part::First(other))
        | (Part::SuffixNumber(one), Part::SuffixNumber(other))
        | (Part::Revision(one), Part::Revision(other)) => numbers(one, other),
        (Part::Digits(one), Part::Digits(other)) => digits(one, other),
        (Part::Letter(one), Part::Letter(other)) => one.cmp(&other),
        (Part::Suffix(one), Part::Suffix(other)) => one.cmp(&other),
        (Part::Commit(one), Part::Commit(other)) | (Part::Unknown(one), Part::Unknown(other)) => one.cmp(other),
        (Part::Suffix(one), _) if one < NO_SUFFIX => Ordering::Less,
        (_, Part::Suffix(other)) if other < NO_SUFFIX => Ordering::Greater,
        (one, other) => kind(other).cmp(&kind(one)),
    }
}

/// Behind a dot, digits that begin with a zero are compared like a fraction.
fn digits(one: &[u8], other: &[u8]) -> Ordering {
    if one.first() == Some(&b'0') || other.first() == Some(&b'0') {
        one.cmp(other)
    } else {
        numbers(one, other)
    }
}

fn kind(part: Part<'_>) -> u8 {
    match part {
        Part::First(_) => 0,
        Part::Digits(_) => 1,
        Part::Letter(_) => 2,
        Part::Suffix(_) => 3,
        Part::SuffixNumber(_) => 4,
        Part::Commit(_) => 5,
        Part::Revision(_) => 6,
        Part::End => 7,
        Part::Unknown(_) => 8,
    }
}

struct Parts<'a> {
    rest: &'a [u8],
    started: bool,
    after_suffix: bool,
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        Self {
            rest: version.as_bytes(),
            started: false,
            after_suffix: false,
        }
    }

    fn next(&mut self) -> Part<'a> {
        let is_digit = |byte: u8| byte.is_ascii_digit();
        let after_suffix = std::mem::take(&mut self.after_suffix);
        match self.rest {
            [] => Part::End,
            [b'0'..=b'9', ..] if !self.started => {
                self.started = true;
                Part::First(self.take(0, is_digit))
            }
            [b'0'..=b'9', ..] if after_suffix => Part::SuffixNumber(self.take(0, is_digit)),
            [b'.', b'0'..=b'9', ..] => Part::Digits(self.take(1, is_digit)),
            [letter @ b'a'..=b'z', ..] => {
                let letter = *letter;
                self.take(1, |_| false);
                Part::Letter(letter)
            }
            [b'_', b'a'..=b'z', ..] => {
                let word = self.take(1, |byte| byte.is_ascii_lowercase());
                self.after_suffix = true;
                match SUFFIXES.iter().position(|suffix| suffix.as_bytes() == word) {
                    Some(place) => Part::Suffix(place),
                    None => Part::Unknown(word),
                }
            }
            [b'~', ..] => Part::Commit(self.take(1, |byte| byte.is_ascii_hexdigit())),
            [b'-', b'r', b'0'..=b'9', ..] => Part::Revision(self.take(2, is_digit)),
            rest => Part::Unknown(rest),
        }
    }

    /// Skips some bytes and takes those that pass.
    fn take(&mut self, skip: usize, passes: impl Fn(u8) -> bool) -> &'a [u8] {
        let (taken, rest) = split_while(&self.rest[skip..], passes);
        self.rest = rest;
        taken
    }
}
