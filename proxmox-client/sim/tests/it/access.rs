//! Tokens, privileges, and how the two releases differ in them.

use proxmox_sim::{ClusterSpec, GuestSpec, Os, Release, Scenario};

use crate::client::{Asker, Bench};

fn with_a_machine(release: Release) -> Bench {
    let cluster = ClusterSpec::new("lab", "Lab").release(release).nodes(["pve1"]);
    Bench::start(Scenario::Custom(vec![cluster.guests(vec![
        GuestSpec::qemu(200, "vm", "pve1", Os::Debian).guest_agent(),
        GuestSpec::qemu(201, "other", "pve1", Os::Debian),
    ])]))
}

const OSINFO: &str = "/nodes/pve1/qemu/200/agent/get-osinfo";

#[test]
fn the_guest_agent_asks_for_another_privilege_in_each_release() {
    for (release, right, wrong, refusal) in [
        (
            Release::Pve8,
            "VM.Monitor",
            "VM.GuestAgent.Audit",
            "(/vms/200, VM.Monitor)",
        ),
        (
            Release::Pve9,
            "VM.GuestAgent.Audit",
            "VM.Monitor",
            "(/vms/200, VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted)",
        ),
    ] {
        let bench = with_a_machine(release);
        let asker = bench.ask(0, 0);
        let ask = |id: &str, privilege: &str| {
            let (id, secret) = bench.token(id, "/vms/200", privilege);
            asker.with_token(&id, &secret).ask("GET", OSINFO, "")
        };
        assert_eq!(ask("right@pve!t1", right).status(), 200, "{release:?}");
        let refused = ask("wrong@pve!t2", wrong);
        assert_eq!(
            refused.status_line,
            format!("HTTP/1.1 403 Permission check failed {refusal}")
        );
        // Both of the cluster's own tokens fit its release.
        assert_eq!(asker.ask("GET", OSINFO, "").status(), 200);
    }
}

#[test]
fn a_machine_without_guest_agent_says_so() {
    let bench = with_a_machine(Release::Pve9);
    let answer = bench
        .ask(0, 0)
        .ask("GET", "/nodes/pve1/qemu/201/agent/network-get-interfaces", "");
    assert_eq!(answer.status_line, "HTTP/1.1 500 No QEMU guest agent configured");
    bench.sim.ctl("guest stop --cluster lab --vmid 200").expect("stopped");
    assert_eq!(
        bench.ask(0, 0).ask("GET", OSINFO, "").status_line,
        "HTTP/1.1 500 VM 200 is not running"
    );
}

#[test]
fn the_guest_agents_addresses_have_its_own_words() {
    let bench = with_a_machine(Release::Pve9);
    let interfaces = bench.ask(0, 0).get("/nodes/pve1/qemu/200/agent/network-get-interfaces");
    let address = &interfaces["result"][1]["ip-addresses"][0];
    assert_eq!(address["ip-address-type"], "ipv4");
    assert!(address["prefix"].is_number(), "a number here, text for containers");
}

#[test]
fn updates_of_a_node_need_a_right_to_change_it() {
    let bench = with_a_machine(Release::Pve9);
    let cluster = &bench.sim.clusters()[0];
    let asker = bench.ask(0, 0);
    assert_eq!(asker.ask("GET", "/nodes/pve1/apt/update", "").status(), 200);
    let audit = asker.with_token(&cluster.audit_token_id, &cluster.audit_token_secret);
    let refused = audit.ask("GET", "/nodes/pve1/apt/update", "");
    assert_eq!(
        refused.status_line,
        "HTTP/1.1 403 Permission check failed (/nodes/pve1, Sys.Modify)"
    );
    let versions = audit.get("/nodes/pve1/apt/versions");
    assert!(
        versions
            .as_array()
            .expect("a list")
            .iter()
            .any(|one| one["Package"] == "pve-container")
    );
}

#[test]
fn the_token_may_be_percent_encoded() {
    let bench = with_a_machine(Release::Pve9);
    let cluster = &bench.sim.clusters()[0];
    let encoded = cluster.token_id.replace('@', "%40").replace('!', "%21");
    assert_eq!(
        bench
            .ask(0, 0)
            .with_token(&encoded, &cluster.token_secret)
            .ask("GET", "/version", "")
            .status(),
        200
    );
}

#[test]
fn a_path_is_answered_under_its_own_name() {
    let bench = with_a_machine(Release::Pve9);
    let (id, secret) = bench.token("one@pve!one", "/vms", "VM.Audit");
    let one: Asker = bench.ask(0, 0).with_token(&id, &secret);
    let permissions = one.get("/access/permissions?path=%2Fvms%2F200");
    assert_eq!(permissions, serde_json::json!({ "/vms/200": { "VM.Audit": 1 } }));
    assert_eq!(one.get("/access/permissions?path=%2F"), serde_json::json!({ "/": {} }));
}

#[test]
fn what_an_option_needs_depends_on_the_option() {
    let bench = Bench::start(Scenario::one_node(vec![GuestSpec::lxc(100, "a", "pve1", Os::Debian)]));
    let (id, secret) = bench.token("one@pve!one", "/", "VM.Config.Options");
    let one = bench.ask(0, 0).with_token(&id, &secret);
    let put = |form: &str| one.ask("PUT", "/nodes/pve1/lxc/100/config", form).status_line;
    assert_eq!(put("description=x"), "HTTP/1.1 200 OK");
    assert_eq!(
        put("memory=512"),
        "HTTP/1.1 403 Permission check failed (/vms/100, VM.Config.Memory)"
    );
}
