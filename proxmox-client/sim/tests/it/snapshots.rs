//! Snapshots and backups: the tasks, and the files that they keep for real.

use proxmox_sim::{ClusterSpec, GuestSpec, Mishap, Options, Os, PackageSpec, Release, Scenario, Timing};
use serde_json::{Value, json};

use crate::client::{Asker, Bench, Raw, one_node, until};
use crate::recordings::{assert_all, assert_like};

const LXC: &str = "/nodes/pve1/lxc/101";

fn guest() -> GuestSpec {
    GuestSpec::lxc(101, "db1", "pve1", Os::Debian)
}

fn bench(guests: Vec<GuestSpec>) -> Bench {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    Bench::start(one_node(guests))
}

/// Waits until the task that was begun has ended and says how.
fn end_of(asker: &Asker, begun: &Raw) -> String {
    assert_eq!(begun.status(), 200, "{}", begun.status_line);
    let upid = begun.data().as_str().expect("a UPID").to_owned();
    let status = format!("/nodes/pve1/tasks/{}/status", upid.replace(':', "%3A"));
    until("the task ends", || asker.get(&status)["status"] == "stopped");
    asker.get(&status)["exitstatus"].as_str().expect("text").to_owned()
}

fn snapshot(asker: &Asker, name: &str) -> String {
    end_of(
        asker,
        &asker.ask("POST", &format!("{LXC}/snapshot"), &format!("snapname={name}")),
    )
}

fn rollback(asker: &Asker, name: &str) -> String {
    end_of(
        asker,
        &asker.ask("POST", &format!("{LXC}/snapshot/{name}/rollback"), ""),
    )
}

fn run(bench: &Bench, vmid: u32, line: &str) -> String {
    let ran = bench
        .sim
        .ctl(&format!("guest exec --cluster lab --vmid {vmid} -- sh -c '{line}'"));
    ran.expect("it runs")["stdout"]
        .as_str()
        .expect("text")
        .trim_end()
        .to_owned()
}

fn start(bench: &Bench, asker: &Asker) {
    assert_eq!(asker.ask("POST", &format!("{LXC}/status/start"), "").status(), 200);
    bench.pass(30);
    assert!(asker.get(&format!("{LXC}/status/current"))["pid"].is_number());
}

#[test]
fn calls_are_as_recorded() {
    let lab = ClusterSpec::new("lab", "Lab")
        .release(Release::Pve9)
        .nodes(["pve1", "pve2"]);
    let bench = Bench::start(Scenario::Custom(vec![lab.guests(vec![
        GuestSpec::lxc(100, "web1", "pve1", Os::Debian).storage("usb-disk"),
        guest().tags("db;prod"),
        GuestSpec::lxc(110, "mail1", "pve2", Os::Debian),
    ])]));
    let privileges =
        "VM.Audit,VM.Snapshot,VM.Snapshot.Rollback,VM.Backup,Datastore.Audit,Datastore.AllocateSpace,Sys.Audit";
    let (id, secret) = bench.token("ops@pve!full", "/", privileges);
    let one = bench.ask(0, 0).with_token(&id, &secret);
    let list = format!("{LXC}/snapshot");
    let before = format!("{LXC}/snapshot/before");
    bench.sim.ctl("guest stop --cluster lab --vmid 101").expect("stopped");
    assert_like("snapshot-list-empty", &one.ask("GET", &list, ""), &[]);
    bench.sim.ctl("guest start --cluster lab --vmid 101").expect("started");
    let made = one.ask("POST", &list, "snapname=before&description=before+the+change");
    assert_like("snapshot-create", &made, &[]);
    assert_eq!(end_of(&one, &made), "OK");
    let log = |begun: &Raw| {
        let upid = begun.data().as_str().expect("a UPID").replace(':', "%3A");
        one.ask("GET", &format!("/nodes/pve1/tasks/{upid}/log"), "")
    };
    assert_like("task-log-snapshot", &log(&made), &[]);
    assert_like("snapshot-list", &one.ask("GET", &list, ""), &[]);
    let ignored = ["onboot", "features"];
    assert_like(
        "snapshot-config",
        &one.ask("GET", &format!("{before}/config"), ""),
        &ignored,
    );
    assert_like("snapshot-index", &one.ask("GET", &before, ""), &[]);
    let again = one.ask("POST", &list, "snapname=before");
    assert_like("snapshot-create-dup", &again, &[]);
    assert_eq!(end_of(&one, &again), "snapshot name 'before' already used");
    let without = one.ask("POST", "/nodes/pve1/lxc/100/snapshot", "snapname=s1");
    assert_like("err-snapshot-no-support", &without, &[]);
    assert_eq!(end_of(&one, &without), "snapshot feature is not available");
    let missing = one.ask("POST", &format!("{LXC}/snapshot/nosuch/rollback"), "");
    assert_like("err-rollback-missing", &missing, &[]);
    assert_eq!(end_of(&one, &missing), "snapshot 'nosuch' does not exist");
    let feature = |vmid: u32, more: &str| format!("/nodes/pve1/lxc/{vmid}/feature?feature=snapshot{more}");
    let long = format!("snapname={}", "x".repeat(41));
    assert_all(
        &one,
        &[
            ("lxc-feature-snapshot-yes", "GET", &feature(101, ""), ""),
            (
                "lxc-feature-snapshot-named",
                "GET",
                &feature(101, "&snapname=before"),
                "",
            ),
            ("lxc-feature-snapshot-no", "GET", &feature(100, ""), ""),
            ("err-snapshot-bad-name", "POST", &list, "snapname=1+x"),
            ("err-snapshot-name-too-long", "POST", &list, &long),
            ("err-snapshot-reserved-name", "POST", &list, "snapname=current"),
            (
                "err-snapshot-missing",
                "GET",
                &format!("{LXC}/snapshot/nosuch/config"),
                "",
            ),
        ],
    );
    let back = one.ask("POST", &format!("{before}/rollback"), "");
    assert_like("snapshot-rollback-running", &back, &[]);
    assert_eq!(end_of(&one, &back), "OK");
    assert_like("task-log-rollback", &log(&back), &[]);
    let deleted = one.ask("DELETE", &before, "");
    assert_like("snapshot-delete", &deleted, &[]);
    assert_eq!(end_of(&one, &deleted), "OK");
    backups_are_as_recorded(&bench, &one);
}

fn backups_are_as_recorded(bench: &Bench, one: &Asker) {
    let vzdump = "/nodes/pve1/vzdump";
    assert_all(
        one,
        &[
            (
                "err-vzdump-bwlimit",
                "POST",
                vzdump,
                "vmid=101&storage=local&bwlimit=1000",
            ),
            (
                "err-vzdump-prune",
                "POST",
                vzdump,
                "vmid=101&storage=local&prune-backups=keep-last%3D1",
            ),
            (
                "err-vzdump-root-only-option",
                "POST",
                vzdump,
                "vmid=101&storage=local&script=%2Fbin%2Ftrue",
            ),
            (
                "vzdump-nothing-on-node",
                "POST",
                vzdump,
                "vmid=110&mode=snapshot&storage=local",
            ),
            ("err-storage-missing", "GET", "/nodes/pve1/storage/nosuch/content", ""),
        ],
    );
    let plain = one.ask("POST", vzdump, "vmid=101&mode=snapshot&storage=local&compress=zstd");
    bench.pass(4);
    assert_eq!(end_of(one, &plain), "OK");
    let form = "vmid=101&mode=snapshot&storage=local&compress=zstd&notes-template=%7B%7Bguestname%7D%7D";
    let noted = one.ask("POST", vzdump, form);
    assert_like("vzdump-by-token", &noted, &[]);
    assert_eq!(one.get(&format!("{LXC}/status/current"))["lock"], "backup");
    bench.pass(4);
    assert_eq!(end_of(one, &noted), "OK");
    let content = one.ask("GET", "/nodes/pve1/storage/local/content?content=backup", "");
    assert_like("storage-content-backup", &content, &[]);
    assert_eq!(
        content.data()[1]["volid"],
        "local:backup/vzdump-lxc-101-2026_11_21-03_33_24.tar.zst"
    );
    assert_eq!(content.data()[1]["notes"], "db1");
}

#[test]
fn a_rollback_returns_to_the_files_and_the_configuration() {
    let updates = vec![PackageSpec::update("tzdata", "2025a-0+deb12u1", "2025b-0+deb12u1")];
    let bench = bench(vec![guest().updates(updates)]);
    let asker = bench.ask(0, 0);
    run(
        &bench,
        101,
        "echo before >/root/file; echo mine >/usr/local/bin/tool; mkfifo /var/tmp/pipe",
    );
    assert_eq!(snapshot(&asker, "pre"), "OK");
    run(
        &bench,
        101,
        "echo after >/root/file; rm /usr/local/bin/tool; touch /etc/new",
    );
    assert_eq!(asker.ask("PUT", &format!("{LXC}/config"), "tags=changed").status(), 200);
    let publish = "package publish --cluster lab --vmid 101 --name tzdata --version 9999.1";
    bench.sim.ctl(publish).expect("published");
    assert_eq!(rollback(&asker, "pre"), "OK");
    let status = asker.get(&format!("{LXC}/status/current"));
    assert_eq!(
        (&status["status"], status.get("lock")),
        (&json!("stopped"), None),
        "it is left off"
    );
    assert_eq!(asker.get(&format!("{LXC}/config")).get("tags"), None);
    assert!(bench.sim.ctl("guest exec --cluster lab --vmid 101 -- true").is_err());
    start(&bench, &asker);
    let seen = run(
        &bench,
        101,
        "cat /root/file /usr/local/bin/tool; [ -p /var/tmp/pipe ] && echo pipe; ls /etc/new",
    );
    assert_eq!(seen, "before\nmine\npipe");
    let offered = run(
        &bench,
        101,
        "grep -h -A9 tzdata /srv/mirror/dists/bookworm/main/*/Packages",
    );
    assert!(
        offered.contains("9999.1"),
        "what the world offers does not go back: {offered}"
    );
}

#[test]
fn a_guest_that_never_ran_has_nothing_to_return_to() {
    let bench = bench(vec![guest()]);
    let asker = bench.ask(0, 0);
    assert_eq!(snapshot(&asker, "fresh"), "OK");
    run(&bench, 101, "touch /root/file");
    assert_eq!(rollback(&asker, "fresh"), "OK");
    start(&bench, &asker);
    assert_eq!(run(&bench, 101, "ls /root"), "");
}

#[test]
fn a_rollback_may_start_the_guest_again() {
    let timing = Timing {
        slow_mount: std::time::Duration::from_secs(15),
        ..Timing::default()
    };
    let bench = Bench::with(Options {
        scenario: one_node(vec![guest()]),
        timing,
        ..Options::default()
    });
    let asker = bench.ask(0, 0);
    assert_eq!(snapshot(&asker, "warm"), "OK");
    let back = asker.ask("POST", &format!("{LXC}/snapshot/warm/rollback"), "start=1");
    assert_eq!(end_of(&asker, &back), "OK");
    let starting = asker.get("/nodes/pve1/tasks?source=active&vmid=101");
    assert_eq!(starting[0]["type"], "vzstart", "a task of its own");
    bench.pass(3);
    let status = || asker.get(&format!("{LXC}/status/current"))["status"].clone();
    assert_eq!(status(), "stopped", "the file system was in use when it was kept");
    bench.pass(14);
    assert_eq!(status(), "running");
    bench.sim.ctl("guest stop --cluster lab --vmid 101").expect("stopped");
    assert_eq!(snapshot(&asker, "cold"), "OK");
    let back = asker.ask("POST", &format!("{LXC}/snapshot/cold/rollback"), "start=1");
    assert_eq!(end_of(&asker, &back), "OK");
    bench.pass(2);
    assert_eq!(status(), "running");
}

#[test]
fn zfs_returns_to_the_newest_snapshot_only() {
    let bench = Bench::start(one_node(vec![guest().storage("local-zfs")]));
    let asker = bench.ask(0, 0);
    assert_eq!([snapshot(&asker, "one"), snapshot(&asker, "two")], ["OK", "OK"]);
    let refused = "can't rollback, 'one' is not most recent snapshot on 'local-zfs:subvol-101-disk-0'";
    assert_eq!(rollback(&asker, "one"), refused);
    let status = asker.get(&format!("{LXC}/status/current"));
    assert_eq!(
        (&status["status"], status.get("lock")),
        (&json!("running"), None),
        "nothing was touched"
    );
    assert_eq!(rollback(&asker, "two"), "OK");
}

#[test]
fn snapshots_hang_on_each_other() {
    let bench = Bench::start(one_node(vec![guest()]));
    let asker = bench.ask(0, 0);
    let parents = || -> Vec<(String, Value)> {
        let list = asker.get(&format!("{LXC}/snapshot"));
        let rows = list.as_array().expect("a list").iter();
        rows.map(|row| (row["name"].as_str().expect("text").to_owned(), row["parent"].clone()))
            .collect()
    };
    for name in ["one", "two", "three"] {
        assert_eq!(snapshot(&asker, name), "OK");
    }
    assert_eq!(rollback(&asker, "two"), "OK");
    assert_eq!(snapshot(&asker, "four"), "OK");
    let row = |name: &str, parent: Value| (name.to_owned(), parent);
    let expected = [
        row("one", Value::Null),
        row("two", json!("one")),
        row("three", json!("two")),
        row("four", json!("two")),
        row("current", json!("four")),
    ];
    assert_eq!(parents(), expected);
    for name in ["two", "four"] {
        assert_eq!(
            end_of(&asker, &asker.ask("DELETE", &format!("{LXC}/snapshot/{name}"), "")),
            "OK"
        );
    }
    let expected = [
        row("one", Value::Null),
        row("three", json!("one")),
        row("current", json!("one")),
    ];
    assert_eq!(parents(), expected);
    let describe = format!("{LXC}/snapshot/one/config");
    assert_eq!(asker.ask("PUT", &describe, "description=kept%0Afor+long").status(), 200);
    assert_eq!(asker.get(&describe)["description"], "kept\nfor long\n");
}

#[test]
fn a_locked_guest_is_left_alone() {
    let bench = Bench::start(one_node(vec![guest()]));
    let asker = bench.ask(0, 0);
    assert_eq!(snapshot(&asker, "pre"), "OK");
    bench.sim.ctl("guest lock --cluster lab --vmid 101").expect("locked");
    let delete = asker.ask("DELETE", &format!("{LXC}/snapshot/pre"), "");
    for end in [
        snapshot(&asker, "post"),
        rollback(&asker, "pre"),
        end_of(&asker, &delete),
    ] {
        assert_eq!(end, "CT is locked (backup)");
    }
    let backup = asker.ask("POST", "/nodes/pve1/vzdump", "vmid=101&storage=local");
    assert_eq!(end_of(&asker, &backup), "job errors");
}

#[test]
fn machines_have_snapshots_too() {
    let machine = GuestSpec::qemu(200, "vm1", "pve1", Os::Debian)
        .guest_agent()
        .storage("usb-disk");
    let bench = bench(vec![machine]);
    let asker = bench.ask(0, 0);
    let qemu = "/nodes/pve1/qemu/200";
    let feature = asker.get(&format!("{qemu}/feature?feature=snapshot"));
    assert_eq!(feature, json!({ "hasFeature": 1, "nodes": ["pve1"] }));
    run(&bench, 200, "echo before >/root/file");
    let made = asker.ask("POST", &format!("{qemu}/snapshot"), "snapname=pre");
    assert!(made.data().as_str().expect("a UPID").contains(":qmsnapshot:200:"));
    assert_eq!(end_of(&asker, &made), "OK");
    run(&bench, 200, "echo after >/root/file");
    let back = asker.ask("POST", &format!("{qemu}/snapshot/pre/rollback"), "start=1");
    assert_eq!(end_of(&asker, &back), "OK");
    bench.pass(3);
    assert_eq!(run(&bench, 200, "cat /root/file"), "before");
    let reserved = asker.ask("POST", &format!("{qemu}/snapshot"), "snapname=pending");
    assert_eq!(
        reserved.status_line,
        "HTTP/1.1 500 unable to use snapshot name 'pending' (reserved name)"
    );
}

#[test]
fn operations_go_wrong_as_planned() {
    for mishap in Mishap::ALL {
        let bench = Bench::start(one_node(vec![guest()]));
        let asker = bench.ask(0, 0);
        assert_eq!(snapshot(&asker, "pre"), "OK");
        let plan = format!("guest fail --cluster lab --vmid 101 --operation {}", mishap.name());
        bench.sim.ctl(&plan).expect("planned");
        let status = || asker.get(&format!("{LXC}/status/current"));
        let delete = || end_of(&asker, &asker.ask("DELETE", &format!("{LXC}/snapshot/pre"), ""));
        let stopped = |lock: Value| (status()["status"].clone(), status()["lock"].clone()) == (json!("stopped"), lock);
        match mishap {
            Mishap::Snapshot => {
                assert_ne!(snapshot(&asker, "post"), "OK");
                assert_eq!(snapshot(&asker, "post"), "OK", "it happens once");
            }
            Mishap::Rollback => {
                assert_ne!(rollback(&asker, "pre"), "OK");
                assert!(stopped(json!("rollback")), "{}", status());
            }
            Mishap::DeleteSnapshot => {
                assert_ne!(delete(), "OK");
                assert_eq!(delete(), "OK");
            }
            Mishap::Start => {
                let reboot = asker.ask("POST", &format!("{LXC}/status/reboot"), "");
                bench.pass(5);
                assert_eq!(end_of(&asker, &reboot), "startup for container '101' failed");
                assert!(stopped(Value::Null), "{}", status());
                start(&bench, &asker);
            }
            Mishap::Backup => {
                let backup = asker.ask("POST", "/nodes/pve1/vzdump", "vmid=101&storage=local");
                assert_eq!(end_of(&asker, &backup), "job errors");
                assert_eq!(asker.get("/nodes/pve1/storage/local/content"), json!([]));
            }
            // Connections to consoles are tested with consoles.
            Mishap::Console => {}
        }
    }
    let bench = Bench::start(one_node(vec![guest()]));
    let unknown = bench.sim.ctl("guest fail --cluster lab --vmid 101 --operation luck");
    assert!(
        unknown
            .expect_err("there is no such operation")
            .to_string()
            .contains("delete-snapshot, backup")
    );
}
