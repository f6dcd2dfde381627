//! The calls around consoles, compared with recordings.

use proxmox_sim::{ClusterSpec, Packages, Release, Scenario};

use crate::client::{Asker, Bench, Raw};
use crate::recordings::{assert_all, assert_like, full, laboratory, recording};
use crate::terminal::{self, Terminal, UPGRADE};

fn with(bench: &Bench, id: &str, path: &str, privileges: &str) -> Asker {
    let (id, secret) = bench.token(id, path, privileges);
    bench.ask(0, 0).with_token(&id, &secret)
}

#[test]
fn asking_for_a_console() {
    let bench = laboratory(Release::Pve9);
    bench.sim.ctl("guest stop --cluster lab --vmid 101").expect("stopped");
    let one = full(&bench, 0);
    let extra = one.ask("POST", "/nodes/pve1/lxc/100/termproxy", "cmode=shell");
    assert_like("console-termproxy-extra-param", &extra, &[]);
    assert_all(
        &one,
        &[
            ("console-termproxy-ok", "POST", "/nodes/pve1/lxc/100/termproxy", ""),
            (
                "console-termproxy-ct-stopped",
                "POST",
                "/nodes/pve1/lxc/101/termproxy",
                "",
            ),
            (
                "console-termproxy-stopped-ct",
                "POST",
                "/nodes/pve1/lxc/999/termproxy",
                "",
            ),
        ],
    );
    bench.sim.ctl("node stop --cluster lab --node pve2").expect("stopped");
    let offline = one.ask("POST", "/nodes/pve2/lxc/110/termproxy", "");
    assert_like("err-node-offline-termproxy", &offline, &[]);
    let none = with(&bench, "nobody@pve!none", "/", "");
    let denied = none.ask("POST", "/nodes/pve1/lxc/100/termproxy", "");
    assert_like("err-no-permission-console", &denied, &[]);
    let only = with(&bench, "con@pve!cns", "/vms/100", "VM.Console");
    bench.pass(600);
    assert_all(
        &only,
        &[
            (
                "scoped-console-only-termproxy",
                "POST",
                "/nodes/pve1/lxc/100/termproxy",
                "",
            ),
            (
                "scoped-console-only-status",
                "GET",
                "/nodes/pve1/lxc/100/status/current",
                "",
            ),
            ("scoped-console-only-resources", "GET", "/cluster/resources", ""),
        ],
    );
    let older = laboratory(Release::Pve8);
    let asked = full(&older, 0).ask("POST", "/nodes/pve1/lxc/100/termproxy", "");
    assert_like("console-termproxy-ok-8.4.17", &asked, &[]);
}

#[test]
fn the_older_packages() {
    let cluster = ClusterSpec::new("lab", "Lab").packages(Packages::Older).nodes(["pve1"]);
    let bench = Bench::start(Scenario::Custom(vec![cluster]));
    assert_like("version-9.1.8", &bench.ask(0, 0).ask("GET", "/version", ""), &[]);
}

#[test]
fn the_websocket() {
    let bench = laboratory(Release::Pve9);
    let one = full(&bench, 0);
    let fresh = || {
        let granted = terminal::ask(&one, "pve1", 100);
        terminal::path("pve1", 100, &granted.port, &granted.ticket)
    };
    for (name, protocol) in [
        ("console-ws-101-ok", "Sec-WebSocket-Protocol: binary\r\n"),
        ("console-ws-base64-subprotocol", "Sec-WebSocket-Protocol: base64\r\n"),
        ("console-ws-no-subprotocol", ""),
    ] {
        let (answer, _open) = terminal::upgrade(&one, &fresh(), &format!("{UPGRADE}{protocol}"));
        assert_same_head(name, &answer.expect("an answer"));
    }
    let call = "/nodes/pve1/lxc/100/vncwebsocket";
    let bad_ticket = format!("{call}?port=5900&vncticket=PVEVNC%3A00000000%3A%3Aabc");
    assert_all(
        &one,
        &[
            ("console-ws-bad-port", "GET", &format!("{call}?port=22&vncticket=x"), ""),
            ("console-ws-bad-ticket", "GET", &bad_ticket, ""),
            ("console-ws-no-params", "GET", call, ""),
        ],
    );
    assert_like("console-ws-no-auth", &one.anonymous().ask("GET", &bad_ticket, ""), &[]);
    let sep = with(&bench, "ops@pve!sep", "/", "VM.Audit,Sys.Audit");
    assert_like("console-ws-other-token", &sep.ask("GET", &fresh(), ""), &[]);
}

/// All headers but the answer to the key, which differs with the key.
fn assert_same_head(name: &str, ours: &Raw) {
    let recorded = recording(name);
    assert_eq!(ours.status_line, recorded.status_line, "{name}");
    let head = |raw: &Raw| {
        let mut headers: Vec<(String, String)> = raw
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .filter(|(name, _)| name != "sec-websocket-accept")
            .collect();
        headers.sort();
        headers
    };
    assert_eq!(head(ours), head(&recorded), "{name}");
    let accept = ours
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Accept"));
    // The example of RFC 6455.
    assert_eq!(
        accept.map(|(_, value)| value.as_str()),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{name}"
    );
}

#[test]
fn tasks_of_consoles() {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    let bench = laboratory(Release::Pve9);
    let one = full(&bench, 0);
    let what = |upid: &str, what: &str| format!("/nodes/pve1/tasks/{}/{what}", upid.replace(':', "%3A"));
    let mut open = Terminal::enter(&one, "pve1", 100);
    let list = "/nodes/pve1/tasks?source=active&vmid=100&typefilter=vncproxy";
    assert_like("task-list-console-active", &one.ask("GET", list, ""), &[]);
    let few = with(&bench, "one@pve!one", "/vms/100", "VM.Audit,VM.Console");
    assert_like("task-list-console-active-noaudit", &few.ask("GET", list, ""), &[]);
    open.sees("# ");
    open.press("exit\r");
    open.sees("exit");
    open.press("\r");
    open.sees_the_end();
    let ended = |upid: &str| {
        crate::client::until("the task ends", || {
            one.get(&what(upid, "status"))["status"] == "stopped"
        });
    };
    ended(&open.upid);
    assert_like(
        "task-log-console-shell-ended",
        &one.ask("GET", &what(&open.upid, "log"), ""),
        &[],
    );
    assert_like(
        "task-status-console-shell-ended",
        &one.ask("GET", &what(&open.upid, "status"), ""),
        &[],
    );
    let unused = terminal::ask(&one, "pve1", 100);
    bench.pass(11);
    assert_like("task-log-console", &one.ask("GET", &what(&unused.upid, "log"), ""), &[]);
    assert_like(
        "task-status-console-ended",
        &one.ask("GET", &what(&unused.upid, "status"), ""),
        &[],
    );
}
