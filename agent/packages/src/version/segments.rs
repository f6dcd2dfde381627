//! The order of rpm and pacman: `[epoch:]version[-release]` in segments of digits or letters. What separates segments does
//! not count, except that rpm knows `~` (before everything) and `^` (after the end, before anything else).

use std::cmp::Ordering;

use super::{numbers, split_while};

pub(super) fn rpm(one: &str, other: &str) -> Ordering {
    whole(one, other, rpm_part)
}

pub(super) fn pacman(one: &str, other: &str) -> Ordering {
    whole(one, other, pacman_part)
}

fn whole(one: &str, other: &str, part: fn(&[u8], &[u8]) -> Ordering) -> Ordering {
    let (epoch, version, release) = parts(one);
    let (other_epoch, other_version, other_release) = parts(other);
    numbers(epoch.as_bytes(), other_epoch.as_bytes())
        .then_with(|| part(version.as_bytes(), other_version.as_bytes()))
        .then_with(|| match (release, other_release) {
            (Some(one), Some(other)) => part(one.as_bytes(), other.as_bytes()),
            // Where one release is not said, any release will do.
            _ => Ordering::Equal,
        })
}

/// Epoch, version and release. Only digits before a colon are an epoch.
fn parts(text: &str) -> (&str, &str, Option<&str>) {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (epoch, rest),
        _ => ("", text),
    };
    match rest.rsplit_once('-') {
        Some((version, release)) => (epoch, version, Some(release)),
        None => (epoch, rest, None),
    }
}

fn rpm_part(mut one: &[u8], mut other: &[u8]) -> Ordering {
    let separates = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'~' && byte != b'^';
    loop {
        (_, one) = split_while(one, separates);
        (_, other) = split_while(other, separates);
        match (one.first(), other.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                (one, other) = (&one[1..], &other[1..]);
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^'), None) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (None, _) | (_, None) => return one.len().cmp(&other.len()),
            _ => {}
        }
        match segment(one, other) {
            Ok(rests) => (one, other) = rests,
            Err(order) => return order,
        }
    }
}

fn pacman_part(mut one: &[u8], mut other: &[u8]) -> Ordering {
    let separates = |byte: u8| !byte.is_ascii_alphanumeric();
    while !one.is_empty() && !other.is_empty() {
        let (gap, rest) = split_while(one, separates);
        let (other_gap, other_rest) = split_while(other, separates);
        (one, other) = (rest, other_rest);
        if one.is_empty() || other.is_empty() {
            break;
        }
        // A longer separator makes the greater version.
        if gap.len() != other_gap.len() {
            return gap.len().cmp(&other_gap.len());
        }
        match segment(one, other) {
            Ok(rests) => (one, other) = rests,
            Err(order) => return order,
        }
    }
    let letter = |text: &[u8]| text.first().is_some_and(u8::is_ascii_alphabetic);
    match (one.is_empty(), other.is_empty()) {
        (true, true) => Ordering::Equal,
        // Letters behind are a release before the one without: 1.0rc comes before 1.0.
        (true, false) if letter(other) => Ordering::Greater,
        (true, false) => Ordering::Less,
        _ if letter(one) => Ordering::Less,
        _ => Ordering::Greater,
    }
}

/// Takes one segment off each; the order when these differ. Digits are newer than letters.
fn segment<'a, 'b>(one: &'a [u8], other: &'b [u8]) -> Result<(&'a [u8], &'b [u8]), Ordering> {
    let digits = one.first().is_some_and(u8::is_ascii_digit);
    let alike = |byte: u8| {
        if digits {
            byte.is_ascii_digit()
        } else {
            byte.is_ascii_alphabetic()
        }
    };
    let (segment, rest) = split_while(one, alike);
    let (other_segment, other_rest) = split_while(other, alike);
    if other_segment.is_empty() {
        return Err(if digits { Ordering::Greater } else { Ordering::Less });
    }
    let order = if digits {
        numbers(segment, other_segment)
    } else {
        segment.cmp(other_segment)
    };
    if order.is_eq() {
        Ok((rest, other_rest))
    } else {
        Err(order)
    }
}
