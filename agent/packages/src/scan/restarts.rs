//! What must be restarted for earlier updates to take effect. All systems are asked the same way.

use std::collections::BTreeSet;

use super::ScanError;
use crate::frame::Frame;
use crate::version;

/// Whether the whole guest must be restarted: somebody left a mark, or a newer kernel than the running one is installed.
/// The script tells of kernels only where the guest has its own, so not in a container.
pub(super) fn reboot_required(frame: &Frame) -> Result<bool, ScanError> {
    let body = &frame.section("reboot")?.body;
    let marked = body.lines().next() == Some("yes");
    let running = body.lines().find_map(|line| line.strip_prefix("running "));
    let installed: Vec<&str> = body.lines().filter_map(|line| line.strip_prefix("kernel ")).collect();
    Ok(marked || running.is_some_and(|running| is_old(running, &installed)))
}

/// Whether the running kernel is gone, or a newer one of its kind is installed.
fn is_old(running: &str, installed: &[&str]) -> bool {
    let newer = |kernel: &&str| flavour(kernel) == flavour(running) && version::newer_kernel(kernel, running);
    !installed.is_empty() && (!installed.contains(&running) || installed.iter().any(newer))
}

/// What is left of a release without its numbers, so that `6.1.0-25-amd64` is not compared with `6.1.0-26-cloud-amd64`.
fn flavour(release: &str) -> String {
    release.chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect()
}

/// Services and programs that still use files which are gone, sorted.
pub(super) fn services(frame: &Frame) -> Result<Vec<String>, ScanError> {
    let names: BTreeSet<&str> = frame.section("restarts")?.body.lines().map(str::trim).collect();
    Ok(names
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::answer;

    fn reboot(body: &str) -> bool {
        let frame = Frame::parse("scan", &answer("scan", &[("reboot", 0, body)])).expect("whole");
        reboot_required(&frame).expect("readable")
    }

    #[test]
    fn a_kernel_is_compared_with_its_own_kind_only() {
        assert!(!reboot("no"));
        assert!(reboot("yes"));
        assert!(!reboot("no\nrunning 6.1.0-25-amd64"), "no kernel of its own");
        assert!(!reboot(
            "no\nrunning 6.1.0-25-amd64\nkernel 6.1.0-9-amd64\nkernel 6.1.0-25-amd64"
        ));
        assert!(reboot(
            "no\nrunning 6.1.0-9-amd64\nkernel 6.1.0-9-amd64\nkernel 6.1.0-25-amd64"
        ));
        assert!(!reboot(
            "no\nrunning 6.1.0-9-amd64\nkernel 6.1.0-9-amd64\nkernel 6.1.0-25-cloud-amd64"
        ));
        assert!(
            reboot("no\nrunning 6.9.1-arch1-1\nkernel 6.9.2-arch1-1"),
            "replaced in its place"
        );
    }
}
