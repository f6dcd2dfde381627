//! Which of two versions is newer, by the rules of each package manager.

mod apk;
mod deb;
mod segments;

use std::cmp::Ordering;

use crate::Manager;

/// Compares two versions as the package manager does. Any text is compared somehow; whether it is a version is not judged.
pub fn compare(manager: Manager, one: &str, other: &str) -> Ordering {
    match manager {
        Manager::Apt => deb::compare(one, other),
        Manager::Dnf | Manager::Zypper => segments::rpm(one, other),
        Manager::Pacman => segments::pacman(one, other),
        Manager::Apk => apk::compare(one, other),
    }
}

/// The longest beginning whose characters all pass, and the rest.
fn split_while(text: &[u8], passes: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !passes(*byte)).unwrap_or(text.len());
    text.split_at(end)
}

/// Compares two runs of digits of any length as numbers.
fn numbers(one: &[u8], other: &[u8]) -> Ordering {
    let (_, one) = split_while(one, |byte| byte == b'0');
    let (_, other) = split_while(other, |byte| byte == b'0');
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// Whether a kernel release is newer than another one of the same kind.
pub(crate) fn newer_kernel(one: &str, other: &str) -> bool {
    segments::rpm(&one.replace('-', "."), &other.replace('-', ".")).is_gt()
}
