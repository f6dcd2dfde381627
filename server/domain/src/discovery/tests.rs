use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

fn node(name: &str, status: NodeStatus) -> ListedNode {
    ListedNode {
        name: name.to_owned(),
        status,
        cpus: Some(4),
        memory_total: Some(1 << 34),
    }
}

fn listed(vmid: i64, node: &str, status: GuestStatus) -> ListedGuest {
    ListedGuest {
        vmid,
        kind: GuestKind::Lxc,
        node: node.to_owned(),
        name: Some(format!("ct{vmid}")),
        status,
        lock: None,
        template: false,
        tags: "web".to_owned(),
        pool: None,
        cpus: Some(2.0),
        memory_max: Some(1 << 29),
        disk_max: Some(1 << 33),
    }
}

/// What is known after `listed` was seen on nodes that answer.
fn known(listed: &ListedGuest) -> Known<GuestId, GuestFacts> {
    Known {
        id: id(listed.vmid),
        facts: guest_facts(listed, true, None, NOW),
        gone: false,
    }
}

fn id(vmid: i64) -> GuestId {
    GuestId(Uuid::from_u128(u128::try_from(vmid).expect("positive")))
}

#[test]
fn a_guest_never_seen_is_new() {
    let nodes = [node("pve1", NodeStatus::Online)];
    let changes = guests(&[listed(100, "pve1", GuestStatus::Running)], &nodes, &[], NOW);
    let [Change::New(facts)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(
        (facts.name.as_str(), facts.status, facts.stale_since),
        ("ct100", GuestStatus::Running, None)
    );
}

#[test]
fn a_migrated_guest_stays_the_same_guest() {
    let before = known(&listed(100, "pve1", GuestStatus::Running));
    let nodes = [node("pve1", NodeStatus::Online), node("pve2", NodeStatus::Online)];
    let changes = guests(&[listed(100, "pve2", GuestStatus::Running)], &nodes, &[before], NOW);
    let [Change::Changed(moved, facts, differences)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!((*moved, facts.node.as_str()), (id(100), "pve2"));
    assert_eq!(differences, &[Fact::Node]);
}

#[test]
fn the_guests_of_a_dead_node_keep_their_values_and_become_stale() {
    let before = known(&listed(100, "pve1", GuestStatus::Running));
    let dead = [node("pve1", NodeStatus::Offline)];
    // PVE goes on saying that it runs, later it says unknown and nothing else.
    for status in [GuestStatus::Running, GuestStatus::Unknown] {
        let mut said = listed(100, "pve1", status);
        said.memory_max = None;
        let changes = guests(&[said], &dead, std::slice::from_ref(&before), NOW);
        let [Change::Changed(_, facts, differences)] = &changes[..] else {
            panic!("{changes:?}")
        };
        assert_eq!(differences, &[Fact::Stale]);
        assert_eq!((facts.status, facts.stale_since), (GuestStatus::Running, Some(NOW)));
        assert_eq!(facts.memory_max, before.facts.memory_max);
    }
}

#[test]
fn staleness_keeps_its_beginning_and_ends_with_the_node() {
    let mut before = known(&listed(100, "pve1", GuestStatus::Running));
    before.facts.stale_since = Some(Timestamp::from_micros(5));
    let said = [listed(100, "pve1", GuestStatus::Running)];
    let known = [before];
    assert_eq!(guests(&said, &[node("pve1", NodeStatus::Offline)], &known, NOW), []);
    let changes = guests(&said, &[node("pve1", NodeStatus::Online)], &known, NOW);
    let [Change::Changed(_, facts, differences)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!((facts.stale_since, differences.as_slice()), (None, &[Fact::Stale][..]));
}

#[test]
fn a_guest_that_pve_knows_nothing_of_is_unknown() {
    let mut said = listed(110, "pve2", GuestStatus::Unknown);
    said.name = None;
    let changes = guests(&[said], &[node("pve2", NodeStatus::Offline)], &[], NOW);
    let [Change::New(facts)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!((facts.name.as_str(), facts.status), ("CT110", GuestStatus::Unknown));
    assert_eq!(facts.stale_since, Some(NOW));
}

#[test]
fn a_guest_that_its_node_has_not_spoken_of_yet_is_unknown_and_not_old() {
    let nodes = [node("pve1", NodeStatus::Online)];
    let mut said = listed(110, "pve1", GuestStatus::Unknown);
    said.name = None;
    let changes = guests(&[said], &nodes, &[], NOW);
    let [Change::New(facts)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!((facts.status, facts.stale_since), (GuestStatus::Unknown, None));
    // One that was known keeps its values, which are old from now on.
    let before = known(&listed(110, "pve1", GuestStatus::Running));
    let changes = guests(&[listed(110, "pve1", GuestStatus::Unknown)], &nodes, &[before], NOW);
    let [Change::Changed(_, facts, _)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!((facts.status, facts.stale_since), (GuestStatus::Running, Some(NOW)));
}

#[test]
fn a_number_used_again_by_another_kind_is_another_guest() {
    let before = known(&listed(100, "pve1", GuestStatus::Running));
    let mut said = listed(100, "pve1", GuestStatus::Running);
    said.kind = GuestKind::Qemu;
    let changes = guests(&[said], &[node("pve1", NodeStatus::Online)], &[before], NOW);
    assert!(
        matches!(&changes[..], [Change::Gone(gone), Change::New(_)] if *gone == id(100)),
        "{changes:?}"
    );
}

#[test]
fn what_was_gone_comes_back_unless_its_number_has_a_new_owner() {
    let mut before = known(&listed(100, "pve1", GuestStatus::Running));
    before.gone = true;
    let nodes = [node("pve1", NodeStatus::Online)];
    let same = guests(
        &[listed(100, "pve1", GuestStatus::Stopped)],
        &nodes,
        &[before.clone()],
        NOW,
    );
    assert!(
        matches!(&same[..], [Change::Back(back, _)] if *back == id(100)),
        "{same:?}"
    );
    let mut other = listed(100, "pve1", GuestStatus::Stopped);
    other.name = Some("another".to_owned());
    let other = guests(&[other], &nodes, &[before], NOW);
    assert!(matches!(&other[..], [Change::New(_)]), "{other:?}");
}

#[test]
fn nodes_come_change_and_go() {
    let one = Known {
        id: NodeId(Uuid::from_u128(1)),
        facts: node_facts(&node("pve1", NodeStatus::Online), None, NOW),
        gone: false,
    };
    let mut silent = node("pve1", NodeStatus::Offline);
    silent.cpus = None;
    let changes = nodes(
        &[silent, node("pve2", NodeStatus::Online)],
        std::slice::from_ref(&one),
        NOW,
    );
    let [Change::Changed(_, facts, differences), Change::New(_)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(differences, &[Fact::Status, Fact::Stale]);
    assert_eq!(facts.cpus, Some(4), "the value is kept");
    assert!(matches!(
        &nodes(&[], std::slice::from_ref(&one), NOW)[..],
        [Change::Gone(_)]
    ));
    let back = nodes(&[node("pve1", NodeStatus::Online)], &[Known { gone: true, ..one }], NOW);
    assert!(matches!(&back[..], [Change::Back(..)]), "{back:?}");
}

#[test]
fn details_are_read_when_something_tells_of_a_change() {
    let quiet = Look {
        changed: &[],
        restarted: false,
        awaits_address: false,
        last: Some(NOW - Duration::from_secs(60)),
        stale: false,
    };
    let hour = Duration::from_secs(3600);
    assert_eq!(look(&quiet, NOW, hour), Wanted::No);
    assert_eq!(look(&quiet, NOW, Duration::from_secs(60)), Wanted::Sometime);
    assert_eq!(
        look(
            &Look {
                last: None,
                ..quiet.clone()
            },
            NOW,
            hour
        ),
        Wanted::Now
    );
    assert_eq!(
        look(
            &Look {
                restarted: true,
                ..quiet.clone()
            },
            NOW,
            hour
        ),
        Wanted::Now
    );
    assert_eq!(
        look(
            &Look {
                awaits_address: true,
                ..quiet.clone()
            },
            NOW,
            hour
        ),
        Wanted::Now
    );
    assert_eq!(
        look(
            &Look {
                changed: &[Fact::Node],
                ..quiet.clone()
            },
            NOW,
            hour
        ),
        Wanted::Now
    );
    assert_eq!(
        look(
            &Look {
                changed: &[Fact::Lock],
                ..quiet.clone()
            },
            NOW,
            hour
        ),
        Wanted::No
    );
    let silent = Look {
        stale: true,
        last: None,
        ..quiet
    };
    assert_eq!(look(&silent, NOW, hour), Wanted::No);
}

fn any_listing() -> impl Strategy<Value = Vec<ListedGuest>> {
    let status = prop::sample::select(GuestStatus::ALL);
    prop::collection::btree_map(100_i64..110, (0..3_usize, status), 0..8).prop_map(|guests| {
        guests
            .into_iter()
            .map(|(vmid, (node, status))| listed(vmid, ["pve1", "pve2", "pve3"][node], status))
            .collect()
    })
}

proptest! {
    /// Whatever is listed twice says nothing new the second time, and every listed guest is known afterwards.
    #[test]
    fn a_listing_is_applied_once(first in any_listing(), second in any_listing()) {
        let nodes = [node("pve1", NodeStatus::Online), node("pve2", NodeStatus::Offline), node("pve3", NodeStatus::Online)];
        let mut world: BTreeMap<GuestId, Known<GuestId, GuestFacts>> = BTreeMap::new();
        let mut next = 1000;
        for listing in [&first, &second] {
            let known: Vec<_> = world.values().cloned().collect();
            for change in guests(listing, &nodes, &known, NOW) {
                match change {
                    Change::New(facts) => {
                        next += 1;
                        world.insert(id(next), Known { id: id(next), facts, gone: false });
                    }
                    Change::Back(id, facts) | Change::Changed(id, facts, _) => {
                        world.insert(id, Known { id, facts, gone: false });
                    }
                    Change::Gone(id) => world.get_mut(&id).expect("known").gone = true,
                }
            }
            let known: Vec<_> = world.values().cloned().collect();
            prop_assert_eq!(guests(listing, &nodes, &known, NOW), vec![]);
            let living: BTreeSet<i64> = known.iter().filter(|k| !k.gone).map(|k| k.facts.vmid).collect();
            prop_assert_eq!(living, listing.iter().map(|guest| guest.vmid).collect::<BTreeSet<_>>());
        }
    }
}
