//! Many clusters made from a seed, for measurements.

use super::spec::{ClusterSpec, GuestSpec};
use crate::world::{Figures, Os, Release};

const ROLES: [&str; 8] = ["web", "db", "cache", "build", "mail", "dns", "proxy", "files"];
const SYSTEMS: [Os; 6] = [Os::Debian, Os::Debian, Os::Ubuntu, Os::Alpine, Os::Fedora, Os::OpenSuse];

pub(super) fn clusters(seed: u64, clusters: usize, nodes: usize, guests: usize) -> Vec<ClusterSpec> {
    (1..=clusters)
        .map(|number| cluster(seed, number, nodes, guests))
        .collect()
}

fn cluster(seed: u64, number: usize, nodes: usize, guests: usize) -> ClusterSpec {
    let names: Vec<String> = (1..=nodes).map(|node| format!("c{number}n{node}")).collect();
    let figures = Figures::of(seed, &format!("fleet-{number}"));
    let guests = (0..guests).map(|at| guest(figures, at, &names[at % nodes])).collect();
    let release = if number.is_multiple_of(4) {
        Release::Pve8
    } else {
        Release::Pve9
    };
    ClusterSpec::new(&format!("fleet-{number}"), &format!("Fleet {number}"))
        .release(release)
        .nodes(names.iter().map(String::as_str))
        .guests(guests)
        .without_storages()
}

fn guest(figures: Figures, at: usize, node: &str) -> GuestSpec {
    let index = at as u64 * 8;
    let pick = |what: u64, from: usize| figures.between(index + what, 0, from as u64) as usize % from;
    let vmid = 100 + u32::try_from(at).unwrap_or_default();
    let name = format!("{}-{vmid}", ROLES[pick(0, ROLES.len())]);
    let os = SYSTEMS[pick(1, SYSTEMS.len())];
    let chance = |what: u64, percent: u64| figures.between(index + what, 0, 100) < percent;
    let mut guest = match chance(2, 15) {
        true => GuestSpec::qemu(vmid, &name, node, os).guest_agent(),
        false => GuestSpec::lxc(vmid, &name, node, os),
    };
    guest.running = !chance(3, 12);
    guest.backed_up = !chance(4, 20);
    guest.tags = chance(5, 30).then_some("prod");
    guest.size(
        1 + figures.between(index + 6, 0, 4),
        256 << figures.between(index + 7, 0, 5),
        4,
    )
}
