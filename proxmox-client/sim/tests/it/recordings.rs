//! Answers compared with those recorded from real Proxmox VE: status line, headers, and the shape of the body.

use std::path::Path;

use proxmox_sim::{ClusterSpec, GuestSpec, Os, Release, Scenario};
use serde_json::Value;

use crate::client::{Asker, Bench, Raw};
use crate::shape;

/// The recorded laboratory: containers 100 and 101 and machine 200 on pve1, container 110 on pve2.
pub(crate) fn laboratory(release: Release) -> Bench {
    let lab = ClusterSpec::new("lab", "Lab").release(release).nodes(["pve1", "pve2"]);
    Bench::start(Scenario::Custom(vec![lab.guests(vec![
        GuestSpec::lxc(100, "web1", "pve1", Os::Debian).shell_console(),
        GuestSpec::lxc(101, "db1", "pve1", Os::Debian).tags("db;prod"),
        GuestSpec::lxc(110, "mail1", "pve2", Os::Debian),
        GuestSpec::qemu(200, "vm1", "pve1", Os::Debian).stopped().tags("prod"),
    ])]))
}

/// A token like the one of the recordings that may do nearly everything.
pub(crate) fn full(bench: &Bench, node: usize) -> Asker {
    let privileges = "VM.Audit,VM.Console,VM.PowerMgmt,VM.Config.Options,VM.Config.Memory,Sys.Audit,Datastore.Audit";
    let (id, secret) = bench.token("ops@pve!full", "/", privileges);
    bench.ask(0, node).with_token(&id, &secret)
}

pub(crate) fn recording(name: &str) -> Raw {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recordings")
        .join(format!("{name}.http"));
    Raw::parse(&std::fs::read(file).expect("the recording is there"))
}

/// Compares an answer with a recording. `ignored` names keys that this one test does not compare.
pub(crate) fn assert_like(name: &str, ours: &Raw, ignored: &[&str]) {
    let recorded = recording(name);
    assert_eq!(ours.status_line, recorded.status_line, "{name}: status line");
    for header in ["Cache-Control", "Connection", "Pragma", "Server", "Content-Type"] {
        assert_eq!(ours.header(header), recorded.header(header), "{name}: {header}");
    }
    assert_eq!(
        ours.header("Date"),
        ours.header("Expires"),
        "{name}: an answer expires at once"
    );
    let json = |raw: &Raw| serde_json::from_slice::<Value>(&raw.body);
    match (json(&recorded), json(ours)) {
        (Ok(recorded), Ok(ours)) => {
            assert_eq!(shape::difference(&recorded, &ours, ignored), None, "{name}: {ours:#}");
            assert_eq!(recorded.get("message"), ours.get("message"), "{name}: message");
            assert_eq!(recorded.get("errors"), ours.get("errors"), "{name}: errors");
        }
        _ => assert_eq!(
            String::from_utf8_lossy(&ours.body),
            String::from_utf8_lossy(&recorded.body),
            "{name}: body"
        ),
    }
}

/// Asks and compares: recording, method, path, form.
pub(crate) fn assert_all(asker: &Asker, all: &[(&str, &str, &str, &str)]) {
    for (name, method, path, form) in all {
        assert_like(name, &asker.ask(method, path, form), IN_GENERAL);
    }
}

/// What the simulated guests and nodes have and the recorded ones did not, or the other way round: `onboot`, nesting,
/// measures of pressure (cgroup v1 on the recorded machine), properties of storages.
const IN_GENERAL: &[&str] = &[
    "onboot",
    "features",
    "description",
    "prune-backups",
    "is_mountpoint",
    "secureboot",
];

#[test]
fn reading_calls() {
    let bench = laboratory(Release::Pve9);
    bench.sim.ctl("guest stop --cluster lab --vmid 101").expect("stopped");
    bench.pass(10);
    let one = full(&bench, 0);
    assert_all(
        &one,
        &[
            ("version", "GET", "/version", ""),
            ("node-version", "GET", "/nodes/pve1/version", ""),
            ("nodes", "GET", "/nodes", ""),
            ("cluster-status-two-online", "GET", "/cluster/status", ""),
            ("cluster-ha-resources", "GET", "/cluster/ha/resources", ""),
            ("cluster-nextid", "GET", "/cluster/nextid", ""),
            ("cluster-nextid-taken", "GET", "/cluster/nextid?vmid=100", ""),
            ("lxc-list", "GET", "/nodes/pve1/lxc", ""),
            ("lxc-status-running", "GET", "/nodes/pve1/lxc/100/status/current", ""),
            ("lxc-status-stopped", "GET", "/nodes/pve1/lxc/101/status/current", ""),
            ("lxc-interfaces", "GET", "/nodes/pve1/lxc/100/interfaces", ""),
            ("lxc-interfaces-stopped", "GET", "/nodes/pve1/lxc/101/interfaces", ""),
            ("lxc-config-101", "GET", "/nodes/pve1/lxc/101/config", ""),
            ("lxc-index", "GET", "/nodes/pve1/lxc/100", ""),
            ("lxc-status-dir", "GET", "/nodes/pve1/lxc/100/status", ""),
            ("qemu-list", "GET", "/nodes/pve1/qemu", ""),
            ("qemu-list-full", "GET", "/nodes/pve1/qemu?full=1", ""),
            ("cluster-resources-vm", "GET", "/cluster/resources?type=vm", ""),
            ("node-status", "GET", "/nodes/pve1/status", ""),
            ("node-storage", "GET", "/nodes/pve1/storage", ""),
            ("pools", "GET", "/pools", ""),
            ("access-roles", "GET", "/access/roles", ""),
        ],
    );
    // The second recorded storage is a folder, ours is a volume group.
    assert_like(
        "storage-list",
        &one.ask("GET", "/storage", ""),
        &[IN_GENERAL, &["path"]].concat(),
    );
    assert_like(
        "remote-lxc-status",
        &one.ask("GET", "/nodes/pve2/lxc/110/status/current", ""),
        IN_GENERAL,
    );
}

#[test]
fn the_older_release() {
    let bench = laboratory(Release::Pve8);
    let one = full(&bench, 0);
    assert_all(
        &one,
        &[
            ("version-8.4.17", "GET", "/version", ""),
            (
                "lxc-status-running-8.4.17",
                "GET",
                "/nodes/pve1/lxc/100/status/current",
                "",
            ),
            ("err-ct-missing-8.4.17", "GET", "/nodes/pve1/lxc/999/status/current", ""),
            ("err-lxc-exec-8.4.17", "POST", "/nodes/pve1/lxc/100/exec", "command=id"),
        ],
    );
    let list = one.ask("GET", "/nodes/pve1/lxc", "");
    // One of the recorded containers has tags, as one of ours.
    assert_like("lxc-list-8.4.17", &list, IN_GENERAL);
    let wrong = one.with_token("ops@pve!full", "00000000-0000-0000-0000-000000000000");
    assert_like("auth-token-bad-secret-8.4.17", &wrong.ask("GET", "/version", ""), &[]);
}

#[test]
fn a_node_dies() {
    let bench = laboratory(Release::Pve9);
    let one = full(&bench, 0);
    assert_like(
        "cluster-resources-two-nodes",
        &one.ask("GET", "/cluster/resources", ""),
        UNKNOWN_STORAGE,
    );
    bench.sim.ctl("node stop --cluster lab --node pve2").expect("stopped");
    bench.pass(120);
    assert_like("nodes-offline-after-online", &one.ask("GET", "/nodes", ""), &[]);
    assert_like(
        "cluster-status-offline-after-online",
        &one.ask("GET", "/cluster/status", ""),
        &[],
    );
    assert_like(
        "cluster-resources-offline-2min",
        &one.ask("GET", "/cluster/resources", ""),
        UNKNOWN_STORAGE,
    );
    assert_like(
        "err-node-offline-status",
        &one.ask("GET", "/nodes/pve2/status", ""),
        &[],
    );
    assert_like(
        "err-node-offline-start",
        &one.ask("POST", "/nodes/pve2/lxc/110/status/start", ""),
        &[],
    );
    bench.pass(300);
    assert_like(
        "cluster-resources-8.4.17",
        &one.ask("GET", "/cluster/resources", ""),
        &["memhost"],
    );
}

/// One recorded storage was on one node only, so there is a kind of element that ours does not have.
const UNKNOWN_STORAGE: &[&str] = &["disk", "maxdisk"];

#[test]
fn a_node_in_no_cluster() {
    let bench = Bench::start(Scenario::one_node(vec![]));
    assert_like(
        "cluster-status-standalone",
        &full(&bench, 0).ask("GET", "/cluster/status", ""),
        &[],
    );
}

#[test]
fn few_rights() {
    let bench = laboratory(Release::Pve9);
    let asker = bench.ask(0, 0);
    let with = |id: &str, path: &str, privileges: &str| {
        let (id, secret) = bench.token(id, path, privileges);
        asker.with_token(&id, &secret)
    };
    let none = with("nobody@pve!none", "/", "");
    assert_all(
        &none,
        &[
            ("nodes-noperm", "GET", "/nodes", ""),
            ("cluster-resources-noperm", "GET", "/cluster/resources", ""),
            ("lxc-list-noperm", "GET", "/nodes/pve1/lxc", ""),
            ("task-list-noperm", "GET", "/nodes/pve1/tasks", ""),
            ("auth-permissions-none", "GET", "/access/permissions", ""),
            ("err-no-permission-read", "GET", "/nodes/pve1/lxc/100/config", ""),
            ("err-no-permission-node", "GET", "/nodes/pve1/status", ""),
            ("err-ct-missing-noperm", "GET", "/nodes/pve1/lxc/999/status/current", ""),
        ],
    );
    assert_like(
        "token-privsep-no-acl-status",
        &none.ask("GET", "/nodes/pve1/lxc/100/status/current", ""),
        &[],
    );
    let sep = with("ops@pve!sep", "/", "VM.Audit,Sys.Audit");
    assert_all(
        &sep,
        &[
            ("auth-permissions-sep", "GET", "/access/permissions", ""),
            (
                "err-no-permission-start",
                "POST",
                "/nodes/pve1/lxc/100/status/start",
                "",
            ),
        ],
    );
    let one = with("one@pve!one", "/vms/100", "VM.Audit,VM.Console");
    assert_all(
        &one,
        &[
            ("scoped-permissions", "GET", "/access/permissions", ""),
            ("scoped-other-ct", "GET", "/nodes/pve1/lxc/101/status/current", ""),
            ("scoped-tasks", "GET", "/nodes/pve1/tasks", ""),
        ],
    );
    bench.sim.ctl("node stop --cluster lab --node pve2").expect("stopped");
    bench.pass(600);
    assert_all(
        &one,
        &[
            ("scoped-nodes", "GET", "/nodes", ""),
            ("scoped-cluster-resources", "GET", "/cluster/resources", ""),
        ],
    );
}

#[test]
fn changed_configuration() {
    let bench = laboratory(Release::Pve9);
    let one = full(&bench, 0);
    assert_all(
        &one,
        &[
            (
                "lxc-config-cmode-set-running",
                "PUT",
                "/nodes/pve1/lxc/101/config",
                "cmode=shell",
            ),
            ("lxc-config-cmode-pending", "GET", "/nodes/pve1/lxc/101/config", ""),
            (
                "lxc-config-current-cmode-pending",
                "GET",
                "/nodes/pve1/lxc/101/config?current=1",
                "",
            ),
            ("lxc-pending-cmode", "GET", "/nodes/pve1/lxc/101/pending", ""),
            (
                "lxc-config-revert-cmode",
                "PUT",
                "/nodes/pve1/lxc/101/config",
                "revert=cmode",
            ),
            ("lxc-pending-after-revert", "GET", "/nodes/pve1/lxc/101/pending", ""),
            ("err-config-bad-value", "PUT", "/nodes/pve1/lxc/101/config", "memory=1"),
        ],
    );
    let old = "memory=301&digest=0000000000000000000000000000000000000000";
    assert_like(
        "lxc-config-set-bad-digest",
        &one.ask("PUT", "/nodes/pve1/lxc/100/config", old),
        &[],
    );
    bench.sim.ctl("guest lock --cluster lab --vmid 101").expect("locked");
    assert_like(
        "lxc-status-during-vzdump",
        &one.ask("GET", "/nodes/pve1/lxc/101/status/current", ""),
        &[],
    );
    assert_like(
        "err-unlock-by-token",
        &one.ask("PUT", "/nodes/pve1/lxc/101/config", "delete=lock"),
        &[],
    );
}

#[test]
fn tasks() {
    let bench = laboratory(Release::Pve9);
    bench.sim.ctl("guest stop --cluster lab --vmid 101").expect("stopped");
    let one = full(&bench, 0);
    let begun = one.ask("POST", "/nodes/pve1/lxc/101/status/start", "");
    assert_like("lxc-start-ok", &begun, &[]);
    let task = |answer: &Raw, what: &str| {
        let upid = answer.data().as_str().expect("a UPID").replace(':', "%3A");
        format!("/nodes/pve1/tasks/{upid}{what}")
    };
    assert_like(
        "task-list-running",
        &one.ask("GET", "/nodes/pve1/tasks?source=active", ""),
        &[],
    );
    assert_like(
        "task-status-running",
        &one.ask("GET", &task(&begun, "/status"), ""),
        &[],
    );
    bench.pass(5);
    assert_like("task-status-ok", &one.ask("GET", &task(&begun, "/status"), ""), &[]);
    assert_like("task-log-start", &one.ask("GET", &task(&begun, "/log"), ""), &[]);
    assert_like("tasks", &one.ask("GET", "/nodes/pve1/tasks", ""), &[]);
    assert_like(
        "remote-task-on-wrong-node",
        &one.ask("GET", &task(&begun, "/status").replace("/pve1/", "/pve2/"), ""),
        &[],
    );
    let (id, secret) = bench.token("nobody@pve!none", "/", "");
    let none = one.with_token(&id, &secret);
    assert_like(
        "task-status-noperm",
        &none.ask("GET", &task(&begun, "/status"), ""),
        &[],
    );
    assert_like("task-stop-noperm", &none.ask("DELETE", &task(&begun, ""), ""), &[]);
    let missing = one.ask("POST", "/nodes/pve1/lxc/999/status/start", "");
    assert_like("err-ct-missing-start", &missing, &[]);
    assert_like(
        "task-status-error-missing-ct",
        &one.ask("GET", &task(&missing, "/status"), ""),
        &[],
    );
    assert_like("task-log-error", &one.ask("GET", &task(&missing, "/log"), ""), &[]);
    bench
        .sim
        .ctl("guest lock --cluster lab --vmid 101 --operation create")
        .expect("locked");
    bench.sim.ctl("guest stop --cluster lab --vmid 101").expect("stopped");
    let locked = one.ask("POST", "/nodes/pve1/lxc/101/status/start", "");
    assert_like("err-ct-locked", &locked, &[]);
    assert_like(
        "task-status-error-locked",
        &one.ask("GET", &task(&locked, "/status"), ""),
        &[],
    );
    let stopping = one.ask("POST", "/nodes/pve1/lxc/100/status/shutdown", "timeout=30");
    assert_like("task-stop", &one.ask("DELETE", &task(&stopping, ""), ""), &[]);
    assert_like(
        "remote-start",
        &one.ask("POST", "/nodes/pve2/lxc/999/status/start", ""),
        &[],
    );
    assert_all(
        &one,
        &[
            ("err-task-bad-upid", "GET", "/nodes/pve1/tasks/foo/status", ""),
            (
                "err-task-unknown",
                "GET",
                &format!("/nodes/pve1/tasks/{UNKNOWN_TASK}/status"),
                "",
            ),
            (
                "err-task-log-unknown",
                "GET",
                &format!("/nodes/pve1/tasks/{UNKNOWN_TASK}/log"),
                "",
            ),
        ],
    );
}

const UNKNOWN_TASK: &str = "UPID:pve1:00000001:00000001:6B011387:vzstart:100:ops@pve!full:";

#[test]
fn errors() {
    let bench = laboratory(Release::Pve9);
    bench.sim.ctl("guest stop --cluster lab --vmid 101").expect("stopped");
    let one = full(&bench, 0);
    assert_all(
        &one,
        &[
            (
                "err-bad-param-int",
                "POST",
                "/nodes/pve1/lxc/100/status/shutdown",
                "timeout=xyz",
            ),
            ("err-bad-param-type", "GET", "/nodes/pve1/lxc/abc/status/current", ""),
            ("err-bad-vmid-range", "GET", "/nodes/pve1/lxc/1/status/current", ""),
            (
                "err-unknown-param",
                "POST",
                "/nodes/pve1/lxc/100/status/start",
                "foo=bar",
            ),
            ("err-ct-missing", "GET", "/nodes/pve1/lxc/999/status/current", ""),
            ("err-ct-missing-config", "GET", "/nodes/pve1/lxc/999/config", ""),
            ("err-ct-on-other-node", "GET", "/nodes/pve1/lxc/110/status/current", ""),
            ("err-vm-as-lxc", "GET", "/nodes/pve1/lxc/200/status/current", ""),
            ("err-lxc-as-qemu", "GET", "/nodes/pve1/qemu/100/status/current", ""),
            ("err-ct-start-running", "POST", "/nodes/pve1/lxc/100/status/start", ""),
            ("err-ct-stop-stopped", "POST", "/nodes/pve1/lxc/101/status/stop", ""),
            (
                "err-ct-shutdown-stopped",
                "POST",
                "/nodes/pve1/lxc/101/status/shutdown",
                "",
            ),
            ("err-lxc-exec", "POST", "/nodes/pve1/lxc/100/exec", "command=id"),
            ("err-lxc-exec-get", "GET", "/nodes/pve1/lxc/100/exec", ""),
            (
                "err-lxc-agent-exec",
                "POST",
                "/nodes/pve1/lxc/100/agent/exec",
                "command=id",
            ),
            ("err-lxc-status-exec", "POST", "/nodes/pve1/lxc/100/status/exec", ""),
            ("err-method-delete", "DELETE", "/version", ""),
            ("err-method-not-allowed", "POST", "/version", ""),
            ("err-method-head", "HEAD", "/version", ""),
            ("err-method-options", "OPTIONS", "/version", ""),
            ("err-method-patch", "PATCH", "/version", ""),
            ("err-unknown-path", "GET", "/nosuch", ""),
            ("err-node-unknown", "GET", "/nodes/nosuch/status", ""),
        ],
    );
    assert_like("err-root-path", &one.send("GET", "/api2/", "", ""), &[]);
    assert_like("err-wrong-prefix", &one.send("GET", "/api2/xml/version", "", ""), &[]);
    assert_like("err-bad-url", &one.send("GET", "/nosuch/file", "", ""), &[]);
    let start = "/api2/json/nodes/pve1/lxc/100/status/start";
    let plain = "Content-Type: text/plain, application/x-www-form-urlencoded\r\n";
    assert_like("err-content-type", &one.send("POST", start, plain, "x=y"), &[]);
    let json = "Content-Type: application/json\r\n";
    assert_like("err-json-body-array", &one.send("POST", start, json, "[1]"), &[]);
    assert_like(
        "fmt-extjs-version",
        &one.send("GET", "/api2/extjs/version", "", ""),
        &[],
    );
    let missing = "/api2/extjs/nodes/pve1/lxc/999/status/current";
    assert_like("fmt-extjs-error", &one.send("GET", missing, "", ""), &[]);
    assert_like(
        "fmt-extjs-exec",
        &one.send("POST", "/api2/extjs/nodes/pve1/lxc/100/exec", "", ""),
        &[],
    );
}

#[test]
fn logins() {
    let bench = laboratory(Release::Pve9);
    let one = full(&bench, 0);
    let version = |asker: &Asker| asker.ask("GET", "/version", "");
    let zeros = "00000000-0000-0000-0000-000000000000";
    assert_like("auth-token-ok", &version(&one), &[]);
    assert_like("auth-none", &version(&one.anonymous()), &[]);
    assert_like(
        "auth-bearer",
        &version(&one.with_authorization("Authorization: Bearer abc")),
        &[],
    );
    assert_like(
        "auth-cookie-bad",
        &version(&one.with_authorization("Cookie: PVEAuthCookie=PVE:a:b")),
        &[],
    );
    assert_like(
        "auth-token-bad-secret",
        &version(&one.with_token("ops@pve!full", zeros)),
        &[],
    );
    assert_like(
        "auth-token-unknown-id",
        &version(&one.with_token("ops@pve!nosuch", zeros)),
        &[],
    );
    assert_like(
        "auth-token-unknown-user",
        &version(&one.with_token("ghost@pve!full", zeros)),
        &[],
    );
    let malformed = one.with_authorization("Authorization: PVEAPIToken=ops@pve");
    assert_like("auth-token-malformed", &version(&malformed), &[]);
    let lower = one.with_authorization(&format!("Authorization: pveapitoken=ops@pve!full={zeros}"));
    assert_like("auth-token-lowercase-scheme", &version(&lower), &[]);
    let made = bench
        .sim
        .ctl("token create --cluster lab --id ops@pve!gone --expired")
        .expect("made");
    let gone = one.with_token("ops@pve!gone", made["token_secret"].as_str().expect("text"));
    assert_like("auth-token-expired", &version(&gone), &[]);
    assert_like(
        "err-unknown-path-noauth",
        &one.anonymous().ask("GET", "/nosuch", ""),
        &[],
    );
    let exec = one.anonymous().ask("POST", "/nodes/pve1/lxc/100/exec", "command=id");
    assert_like("err-lxc-exec-noauth", &exec, &[]);
}
