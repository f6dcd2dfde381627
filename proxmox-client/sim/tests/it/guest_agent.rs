//! The QEMU guest agent: what Proxmox VE passes on to it, done for real.

use proxmox_sim::{ClusterSpec, GuestSpec, Os, Release, Scenario};
use serde_json::{Value, json};

use crate::client::{Asker, Bench, Raw, one_node, until};
use crate::recordings::{assert_like, laboratory};

const AGENT: &str = "/nodes/pve1/qemu/200/agent";

fn machine() -> GuestSpec {
    GuestSpec::qemu(200, "vm1", "pve1", Os::Debian).guest_agent()
}

fn bench() -> Bench {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    Bench::start(one_node(vec![machine()]))
}

fn start(asker: &Asker, form: &str) -> u64 {
    let answer = asker.ask("POST", &format!("{AGENT}/exec"), form);
    assert_eq!(answer.status(), 200, "{}", answer.status_line);
    answer.data()["pid"].as_u64().expect("a number")
}

/// Waits for the end of a command.
fn end(asker: &Asker, pid: u64) -> Value {
    let mut end = Value::Null;
    until("the command ends", || {
        end = asker.get(&format!("{AGENT}/exec-status?pid={pid}"));
        end["exited"] == 1
    });
    end
}

fn run(asker: &Asker, form: &str) -> Value {
    end(asker, start(asker, form))
}

#[test]
fn commands_run_in_the_machine() {
    let bench = bench();
    let asker = bench.ask(0, 0);
    let ran = run(
        &asker,
        "command=sh&command=-c&command=hostname%3B+echo+%C3%A9+%3E%262%3B+exit+7",
    );
    // Each byte is a character.
    let expected = json!({ "exited": 1, "exitcode": 7, "out-data": "vm1\n", "out-truncated": 0,
                           "err-data": "\u{c3}\u{a9}\n", "err-truncated": 0 });
    assert_eq!(ran, expected);
    assert_eq!(
        run(&asker, "command=true"),
        json!({ "exited": 1, "exitcode": 0 }),
        "what is empty is absent"
    );
    let input = run(&asker, "command=od&command=-An&command=-tx1&input-data=%C3%A9%00%0A");
    assert_eq!(input["out-data"], " e9 00 0a\n", "characters below 256 are bytes");
    let home = run(
        &asker,
        "command=sh&command=-c&command=echo+%22%5B%24HOME%5D%22%3B+pwd%3B+id+-u",
    );
    assert_eq!(home["out-data"], "[]\n/\n0\n");
    let words = run(&asker, "command=echo&command=a++b&command=%24HOME");
    assert_eq!(words["out-data"], "a  b $HOME\n", "no shell reads the words");
    let killed = run(&asker, "command=sh&command=-c&command=kill+-9+%24%24");
    assert_eq!(killed, json!({ "exited": 1, "signal": 9 }));
}

#[test]
fn an_end_is_told_once() {
    let bench = bench();
    let asker = bench.ask(0, 0);
    let pid = start(&asker, "command=sleep&command=4000");
    let status = format!("{AGENT}/exec-status?pid={pid}");
    assert_eq!(asker.get(&status), json!({ "exited": 0 }));
    let ended = start(&asker, "command=true");
    end(&asker, ended);
    let again = asker.ask("GET", &format!("{AGENT}/exec-status?pid={ended}"), "");
    assert_eq!(
        again.status_line,
        format!("HTTP/1.1 500 Agent error: PID {ended} does not exist")
    );
    bench
        .sim
        .ctl("guest reboot --cluster lab --vmid 200")
        .expect("rebooted");
    assert_eq!(asker.ask("GET", &status, "").status(), 500, "nothing is left of it");
}

#[test]
fn output_has_a_limit() {
    let bench = bench();
    let ran = run(
        &bench.ask(0, 0),
        "command=head&command=-c&command=17000000&command=%2Fdev%2Fzero",
    );
    assert_eq!(ran["out-truncated"], 1);
    assert_eq!(ran["out-data"].as_str().expect("text").len(), 16 << 20);
}

#[test]
fn files_are_read_and_replaced() {
    let bench = bench();
    let asker = bench.ask(0, 0);
    let write = |form: &str| asker.ask("POST", &format!("{AGENT}/file-write"), form);
    assert_eq!(write("file=%2Froot%2Ff&content=too+long+before").data(), Value::Null);
    assert_eq!(write("file=%2Froot%2Ff&content=a%C3%A9b").status(), 200);
    let read = |query: &str| {
        asker
            .ask("GET", &format!("{AGENT}/file-read?file=%2Froot%2Ff{query}"), "")
            .data()
    };
    assert_eq!(read(""), json!({ "content": "a\u{e9}b", "bytes-read": 3 }));
    assert_eq!(write("file=%2Froot%2Ff&content=w6k%3D&encode=0").status(), 200);
    assert_eq!(read("&decode=0"), json!({ "content": "w6k=", "bytes-read": 2 }));
    assert_eq!(
        read("&count=1"),
        json!({ "content": "\u{c3}", "bytes-read": 1, "truncated": 1 })
    );
    let reason = |answer: Raw| answer.status_line["HTTP/1.1 500 ".len()..].to_owned();
    assert_eq!(
        reason(write("file=%2Fnosuch%2Ff&content=x")),
        "Agent error: failed to open file '/nosuch/f' (mode: 'wb'): No such file or directory"
    );
    assert!(reason(write("file=%2Froot%2Ff&content=%E2%82%AC")).starts_with("Wide character"));
    let missing = asker.ask("GET", &format!("{AGENT}/file-read?file=%2Fnosuch"), "");
    assert!(reason(missing).ends_with("'/nosuch' (mode: 'r'): No such file or directory"));
}

#[test]
fn a_missing_program_is_no_start() {
    let bench = bench();
    let answer = bench
        .ask(0, 0)
        .ask("POST", &format!("{AGENT}/exec"), "command=%2Fnosuch");
    assert_eq!(answer.status(), 500);
    let message = answer.json()["message"].as_str().expect("text").to_owned();
    assert!(
        message.contains("Failed to execute child process “/nosuch” (No such file or directory)"),
        "{message}"
    );
}

#[test]
fn an_agent_may_be_silent_or_absent() {
    let bench = Bench::start(one_node(vec![
        machine(),
        GuestSpec::qemu(201, "vm2", "pve1", Os::Debian),
        GuestSpec::qemu(202, "vm3", "pve1", Os::Debian).guest_agent().stopped(),
    ]));
    let asker = bench.ask(0, 0);
    let refusal = |vmid: u32, method: &str, call: &str, form: &str| {
        let answer = asker.ask(method, &format!("/nodes/pve1/qemu/{vmid}/agent/{call}"), form);
        answer.status_line["HTTP/1.1 ".len()..].to_owned()
    };
    for (method, call, form) in [
        ("POST", "ping", ""),
        ("POST", "exec", "command=true"),
        ("GET", "exec-status?pid=1", ""),
        ("GET", "get-osinfo", ""),
    ] {
        assert_eq!(refusal(201, method, call, form), "500 No QEMU guest agent configured");
        assert_eq!(refusal(202, method, call, form), "500 VM 202 is not running");
        bench
            .sim
            .ctl("guest stop-agent --cluster lab --vmid 200")
            .expect("stopped");
        assert_eq!(refusal(200, method, call, form), "500 QEMU guest agent is not running");
        bench
            .sim
            .ctl("guest start-agent --cluster lab --vmid 200")
            .expect("started");
    }
    bench.sim.ctl("guest pause --cluster lab --vmid 200").expect("paused");
    assert_eq!(refusal(200, "POST", "ping", ""), "500 QEMU guest agent is not running");
    bench.sim.ctl("guest resume --cluster lab --vmid 200").expect("resumed");
    assert_eq!(
        asker.ask("POST", &format!("{AGENT}/ping"), "").data(),
        json!({ "result": {} })
    );
    let info = asker.get(&format!("{AGENT}/info"));
    assert_eq!(
        info["result"]["supported_commands"][0]["enabled"], true,
        "a real boolean"
    );
    let name = asker.get(&format!("{AGENT}/get-host-name"));
    assert_eq!(name["result"]["host-name"], "vm1");
}

#[test]
fn a_machine_without_an_agent_is_as_recorded() {
    let bench = laboratory(Release::Pve9);
    let (id, secret) = bench.token("ops@pve!full", "/", "VM.Audit,VM.GuestAgent.Unrestricted");
    let one = bench.ask(0, 0).with_token(&id, &secret);
    let exec = one.ask("POST", "/nodes/pve1/qemu/200/agent/exec", "command=id");
    assert_like("err-qemu-agent-exec-stopped", &exec, &[]);
}

#[test]
fn each_release_has_its_privileges() {
    for (release, enough, not_enough, named) in [
        (
            Release::Pve9,
            "VM.GuestAgent.Unrestricted",
            "VM.GuestAgent.Audit",
            "VM.GuestAgent.Unrestricted",
        ),
        (Release::Pve8, "VM.Monitor", "VM.Audit", "VM.Monitor"),
    ] {
        let cluster = ClusterSpec::new("lab", "Lab").release(release).nodes(["pve1"]);
        let bench = Bench::start(Scenario::Custom(vec![cluster.guests(vec![machine()])]));
        let with = |id: &str, privileges: &str| {
            let (id, secret) = bench.token(id, "/vms/200", privileges);
            bench.ask(0, 0).with_token(&id, &secret)
        };
        let denied = with("few@pve!few", not_enough).ask("POST", &format!("{AGENT}/exec"), "command=true");
        assert_eq!(
            denied.status_line,
            format!("HTTP/1.1 403 Permission check failed (/vms/200, {named})")
        );
        assert!(start(&with("ops@pve!ops", enough), "command=true") > 0);
    }
}
