//! Debian's order: `[epoch:]upstream[-revision]`, where `~` comes before everything, even before the end.

use std::cmp::Ordering;

use super::{numbers, split_while};

pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (Parts::of(one), Parts::of(other));
    numbers(one.epoch, other.epoch)
        .then_with(|| part(one.upstream, other.upstream))
        .then_with(|| part(one.revision, other.revision))
}

struct Parts<'a> {
    epoch: &'a [u8],
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self {
            epoch: epoch.as_bytes(),
            upstream: upstream.as_bytes(),
            revision: revision.as_bytes(),
        }
    }
}

/// Texts and numbers in turns.
fn part(mut one: &[u8], mut other: &[u8]) -> Ordering {
    while !one.is_empty() || !other.is_empty() {
        let not_digit = |byte: u8| !byte.is_ascii_digit();
        let (text, rest) = split_while(one, not_digit);
        let (other_text, other_rest) = split_while(other, not_digit);
        let order = texts(text, other_text);
        if order.is_ne() {
            return order;
        }
        let (number, rest) = split_while(rest, |byte| byte.is_ascii_digit());
        let (other_number, other_rest) = split_while(other_rest, |byte| byte.is_ascii_digit());
        let order = numbers(number, other_number);
        if order.is_ne() {
            return order;
        }
        (one, other) = (rest, other_rest);
    }
    Ordering::Equal
}

fn texts(one: &[u8], other: &[u8]) -> Ordering {
    let weights = |text: &[u8]| -> Vec<i32> { text.iter().map(|byte| weight(*byte)).chain([0]).collect() };
    weights(one).cmp(&weights(other))
}

/// The end weighs nothing, a tilde less; letters come before everything else.
fn weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        byte if byte.is_ascii_alphabetic() => i32::from(byte),
        byte => i32::from(byte) + 256,
    }
}
