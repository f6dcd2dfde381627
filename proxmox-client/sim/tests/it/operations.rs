//! What happens with time: power, tasks, reports of nodes, pending configuration.

use proxmox_sim::{GuestSpec, Options, Os};
use serde_json::{Value, json};

use crate::client::{Asker, Bench, one_node, two_nodes, until};

fn guest() -> GuestSpec {
    GuestSpec::lxc(100, "a", "pve1", Os::Debian)
}

fn post(asker: &Asker, path: &str) -> String {
    let answer = asker.ask("POST", path, "");
    assert_eq!(answer.status(), 200, "{}", answer.status_line);
    answer.data().as_str().expect("a UPID").to_owned()
}

fn task(asker: &Asker, upid: &str) -> Value {
    let node = upid.split(':').nth(1).expect("a node");
    asker.get(&format!("/nodes/{node}/tasks/{}/status", upid.replace(':', "%3A")))
}

fn resource(asker: &Asker, id: &str) -> Value {
    let all = asker.get("/cluster/resources");
    let found = all
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["id"] == id)
        .cloned();
    found.unwrap_or(Value::Null)
}

#[test]
fn a_reboot_goes_through_all_states_and_applies_what_is_pending() {
    let bench = Bench::start(one_node(vec![guest()]));
    let asker = bench.ask(0, 0);
    assert_eq!(
        asker.ask("PUT", "/nodes/pve1/lxc/100/config", "cmode=shell").status(),
        200
    );
    let status = || asker.get("/nodes/pve1/lxc/100/status/current");
    let upid = post(&asker, "/nodes/pve1/lxc/100/status/reboot");
    assert!(status()["pid"].is_number());
    bench.clock.advance(std::time::Duration::from_millis(500));
    assert_eq!(
        (&status()["status"], status().get("pid"), &status()["uptime"]),
        (&json!("running"), None, &json!(0))
    );
    bench.clock.advance(std::time::Duration::from_millis(1200));
    assert_eq!(status()["status"], "stopped");
    assert_eq!(task(&asker, &upid)["status"], "running");
    bench.pass(2);
    assert_eq!(task(&asker, &upid)["exitstatus"], "OK");
    assert!(status()["pid"].is_number());
    assert_eq!(asker.get("/nodes/pve1/lxc/100/config?current=1")["cmode"], "shell");
}

#[test]
fn a_locked_container_goes_down_and_does_not_come_back() {
    let bench = Bench::start(one_node(vec![guest().locked("backup")]));
    let asker = bench.ask(0, 0);
    let upid = post(&asker, "/nodes/pve1/lxc/100/status/reboot");
    bench.pass(5);
    assert_eq!(task(&asker, &upid)["exitstatus"], "startup for container '100' failed");
    assert_eq!(asker.get("/nodes/pve1/lxc/100/status/current")["status"], "stopped");
    bench
        .sim
        .ctl("guest unlock --cluster lab --vmid 100")
        .expect("unlocked");
    let upid = post(&asker, "/nodes/pve1/lxc/100/status/start");
    bench.pass(5);
    assert_eq!(task(&asker, &upid)["exitstatus"], "OK");
}

#[test]
fn the_cluster_hears_of_a_change_with_the_next_report() {
    let bench = Bench::start(one_node(vec![guest()]));
    let asker = bench.ask(0, 0);
    post(&asker, "/nodes/pve1/lxc/100/status/stop");
    bench.pass(2);
    assert_eq!(asker.get("/nodes/pve1/lxc/100/status/current")["status"], "stopped");
    assert_eq!(resource(&asker, "lxc/100")["status"], "running", "not reported yet");
    bench.pass(10);
    assert_eq!(resource(&asker, "lxc/100")["status"], "stopped");
}

#[test]
fn guests_of_a_dead_node_keep_their_state_for_five_minutes() {
    let bench = Bench::start(two_nodes(vec![
        guest(),
        GuestSpec::lxc(110, "b", "pve2", Os::Debian).tags("x"),
    ]));
    let asker = bench.ask(0, 0);
    bench.sim.ctl("node stop --cluster lab --node pve2").expect("stopped");
    bench.pass(290);
    let frozen = resource(&asker, "lxc/110");
    assert_eq!(frozen["status"], "running");
    assert_eq!(resource(&asker, "node/pve2")["status"], "offline");
    bench.pass(9);
    assert_eq!(resource(&asker, "lxc/110"), frozen);
    bench.pass(2);
    let unknown =
        json!({ "id": "lxc/110", "type": "lxc", "vmid": 110, "node": "pve2", "status": "unknown", "tags": "x" });
    assert_eq!(resource(&asker, "lxc/110"), unknown);
    assert_eq!(
        resource(&asker, "lxc/100")["status"],
        "running",
        "the other node goes on"
    );
    bench.sim.ctl("node start --cluster lab --node pve2").expect("started");
    assert_eq!(resource(&asker, "lxc/110")["status"], "running");
    // Its listener needs a moment.
    let other = bench.ask(0, 1);
    until("the node listens again", || {
        std::net::TcpStream::connect(&other.address).is_ok()
    });
    assert_eq!(other.ask("GET", "/version", "").status(), 200);
}

#[test]
fn a_migrated_guest_is_found_on_its_new_node_only() {
    let bench = Bench::start(two_nodes(vec![guest()]));
    let asker = bench.ask(0, 0);
    bench
        .sim
        .ctl("guest migrate --cluster lab --vmid 100 --to pve2")
        .expect("moved");
    assert_eq!(asker.get("/nodes/pve2/lxc/100/status/current")["name"], "a");
    let answer = asker.ask("GET", "/nodes/pve1/lxc/100/status/current", "");
    assert_eq!(
        answer.status_line,
        "HTTP/1.1 500 Configuration file 'nodes/pve1/lxc/100.conf' does not exist"
    );
    assert_eq!(resource(&asker, "lxc/100")["node"], "pve2");
}

#[test]
fn a_token_without_audit_rights_sees_its_task_on_the_node_but_not_in_the_cluster() {
    let bench = Bench::start(one_node(vec![guest()]));
    let (id, secret) = bench.token("one@pve!one", "/vms", "VM.PowerMgmt");
    let one = bench.ask(0, 0).with_token(&id, &secret);
    let upid = post(&one, "/nodes/pve1/lxc/100/status/stop");
    assert_eq!(one.get("/nodes/pve1/tasks?source=all")[0]["upid"], json!(upid));
    assert_eq!(one.get("/cluster/tasks"), json!([]));
    assert_eq!(task(&one, &upid)["tokenid"], "one");
    assert_eq!(
        bench.ask(0, 0).get("/cluster/tasks")[0]["upid"],
        json!(upid),
        "auditors see all"
    );
}

#[test]
fn a_stopped_task_does_no_more() {
    let bench = Bench::start(one_node(vec![guest()]));
    let asker = bench.ask(0, 0);
    let upid = post(&asker, "/nodes/pve1/lxc/100/status/stop");
    let stopped = asker.ask("DELETE", &format!("/nodes/pve1/tasks/{}", upid.replace(':', "%3A")), "");
    assert_eq!(stopped.status(), 200);
    bench.pass(60);
    assert_eq!(task(&asker, &upid)["exitstatus"], "received interrupt");
    assert_eq!(asker.get("/nodes/pve1/lxc/100/status/current")["status"], "running");
}

#[test]
fn without_quorum_the_cluster_can_be_read_but_not_changed() {
    let bench = Bench::start(two_nodes(vec![guest()]));
    let asker = bench.ask(0, 0);
    bench.sim.ctl("node stop --cluster lab --node pve2").expect("stopped");
    assert_eq!(asker.get("/cluster/status")[0]["quorate"], 0);
    assert_eq!(asker.ask("GET", "/nodes/pve1/lxc/100/config", "").status(), 200);
    for (method, path, form) in [
        ("PUT", "/nodes/pve1/lxc/100/config", "description=x"),
        ("POST", "/nodes/pve1/lxc/100/status/stop", ""),
    ] {
        let answer = asker.ask(method, path, form);
        assert_eq!(answer.status_line, "HTTP/1.1 500 cluster not ready - no quorum?");
    }
}

#[test]
fn a_paused_machine_is_told_to_the_cluster() {
    let bench = Bench::start(one_node(vec![GuestSpec::qemu(200, "vm", "pve1", Os::Debian)]));
    let asker = bench.ask(0, 0);
    bench.sim.ctl("guest pause --cluster lab --vmid 200").expect("paused");
    bench
        .sim
        .ctl("guest set --cluster lab --vmid 200 --name other --tags a;b")
        .expect("changed");
    bench.pass(10);
    let row = resource(&asker, "qemu/200");
    assert_eq!(
        (&row["status"], &row["name"], &row["tags"]),
        (&json!("paused"), &json!("other"), &json!("a;b"))
    );
    let status = asker.get("/nodes/pve1/qemu/200/status/current");
    assert_eq!(
        (&status["status"], &status["qmpstatus"]),
        (&json!("running"), &json!("paused"))
    );
    bench.sim.ctl("guest resume --cluster lab --vmid 200").expect("resumed");
    bench.pass(10);
    assert_eq!(resource(&asker, "qemu/200")["status"], "running");
}

#[test]
fn not_backed_up_guests_are_listed() {
    let bench = Bench::start(one_node(vec![
        guest(),
        GuestSpec::lxc(101, "b", "pve1", Os::Debian).not_backed_up(),
    ]));
    let listed = bench.ask(0, 0).get("/cluster/backup-info/not-backed-up");
    assert_eq!(listed, json!([{ "vmid": 101, "name": "b", "type": "lxc" }]));
}

#[test]
fn the_extension_is_only_there_when_asked_for() {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    let options = Options {
        scenario: one_node(vec![guest()]),
        lxc_exec: true,
        ..Options::default()
    };
    let bench = Bench::with(options);
    let asker = bench.ask(0, 0);
    let run = |form: &str| {
        let answer = asker.ask("POST", "/nodes/pve1/lxc/100/exec", form);
        assert_eq!(answer.status(), 200, "{}", answer.status_line);
        let upid = answer.data().as_str().expect("a UPID").to_owned();
        until("the command ends", || task(&asker, &upid)["status"] == "stopped");
        let log = asker.get(&format!("/nodes/pve1/tasks/{}/log", upid.replace(':', "%3A")));
        (task(&asker, &upid)["exitstatus"].clone(), log[0]["t"].clone())
    };
    assert_eq!(
        run("command=echo+hello%3B+exit+3"),
        (json!("exit code 3"), json!("hello"))
    );
    assert_eq!(
        run("command=echo&command=a;b"),
        (json!("OK"), json!("a;b")),
        "arguments are not split"
    );
    let without = Bench::start(one_node(vec![guest()]));
    let answer = without.ask(0, 0).ask("POST", "/nodes/pve1/lxc/100/exec", "command=id");
    assert_eq!(
        answer.status_line,
        "HTTP/1.1 501 Method 'POST /nodes/pve1/lxc/100/exec' not implemented"
    );
}

#[test]
fn the_same_seed_makes_the_same_fleet() {
    let fleet = || proxmox_sim::Scenario::Fleet {
        clusters: 2,
        nodes: 2,
        guests: 20,
    };
    let seen = |seed: u64| {
        let bench = Bench::with(Options {
            scenario: fleet(),
            seed,
            ..Options::default()
        });
        assert_eq!(bench.sim.clusters().len(), 2);
        (
            bench.sim.clusters()[1].token_secret.clone(),
            bench.ask(1, 0).get("/cluster/resources?type=vm"),
        )
    };
    let first = seen(7);
    assert_eq!(first.1.as_array().expect("a list").len(), 20);
    assert_eq!(first, seen(7));
    assert_ne!(first, seen(8));
}
