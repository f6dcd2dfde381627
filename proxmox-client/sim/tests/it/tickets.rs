//! Users that log in with a password.

use proxmox_sim::{GuestSpec, Os, Release};
use serde_json::{Value, json};

use crate::client::{Asker, Bench, one_node};
use crate::recordings::{assert_like, full, laboratory};
use crate::terminal::Terminal;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn encoded(ticket: &str) -> String {
    let ticket = ticket.replace('%', "%25").replace('+', "%2B").replace('/', "%2F");
    ticket.replace('=', "%3D").replace(':', "%3A").replace('@', "%40")
}

fn log_in(asker: &Asker, user: &str, password: &str) -> crate::client::Raw {
    let form = format!("username={}&password={}", encoded(user), encoded(password));
    asker.anonymous().ask("POST", "/access/ticket", &form)
}

/// Somebody with the ticket and, for calls that change something, what has to stand beside it.
fn with_ticket(asker: &Asker, login: &Value) -> Asker {
    let text = |key: &str| login[key].as_str().expect("text");
    asker.with_authorization(&format!(
        "Cookie: PVEAuthCookie={}\r\nCSRFPreventionToken: {}",
        encoded(text("ticket")),
        text("CSRFPreventionToken")
    ))
}

const PRIVILEGES: &str = "VM.Audit,VM.Console,VM.PowerMgmt,Sys.Audit,SDN.Use,Datastore.Audit,Datastore.AllocateSpace,\
                          VM.Allocate,VM.Config.Disk,VM.Backup,VM.Config.Network,VM.Clone,VM.Migrate,VM.Snapshot,\
                          VM.Snapshot.Rollback,VM.Config.Options,VM.Config.CPU,VM.Config.Memory";

#[test]
fn logins_are_as_recorded() {
    let bench = laboratory(Release::Pve9);
    let create = format!("user create --cluster lab --id ops@pve --password hunter2 --privileges {PRIVILEGES}");
    bench.sim.ctl(&create).expect("made");
    let one = bench.ask(0, 0);
    let login = log_in(&one, "ops@pve", "hunter2");
    assert_like("auth-ticket-ok", &login, &[]);
    assert_like("auth-ticket-bad-password", &log_in(&one, "ops@pve", "wrong"), &[]);
    let missing = one.anonymous().ask("POST", "/access/ticket", "username=ops%40pve");
    assert_like("auth-ticket-missing-param", &missing, &[]);
    let by_token = full(&bench, 0).ask("POST", "/access/ticket", "username=ops%40pve&password=hunter2");
    assert_like("auth-ticket-with-token", &by_token, &[]);

    let ops = with_ticket(&one, &login.data());
    assert_like("auth-cookie-get-ok", &ops.ask("GET", "/version", ""), &[]);
    let cookie = format!(
        "Cookie: PVEAuthCookie={}",
        encoded(login.data()["ticket"].as_str().expect("text"))
    );
    let start = "/nodes/pve1/lxc/100/status/start";
    let without = one.with_authorization(&cookie).ask("POST", start, "");
    assert_like("auth-cookie-post-no-csrf", &without, &[]);
    let bad = one
        .with_authorization(&format!("{cookie}\r\nCSRFPreventionToken: x"))
        .ask("POST", start, "");
    assert_like("auth-cookie-post-bad-csrf", &bad, &[]);
    assert_eq!(
        ops.ask("POST", start, "").status_line,
        "HTTP/1.1 500 CT 100 already running"
    );
}

#[test]
fn a_ticket_lasts_two_hours_and_makes_the_next_one() {
    let bench = Bench::start(one_node(vec![]));
    let cluster = bench.sim.clusters()[0].clone();
    let one = bench.ask(0, 0);
    let first = log_in(&one, &cluster.user, &cluster.password).data();
    assert!(first.get("clustername").is_none(), "the node is in no cluster");
    bench.pass(7000);
    assert_eq!(with_ticket(&one, &first).ask("GET", "/version", "").status(), 200);
    let second = log_in(&one, &cluster.user, first["ticket"].as_str().expect("text"));
    assert_eq!(second.status(), 200);
    bench.pass(300);
    let late = with_ticket(&one, &first).ask("GET", "/version", "");
    assert_eq!(late.status_line, "HTTP/1.1 401 Authentication failed!");
    assert_eq!(
        with_ticket(&one, &second.data()).ask("GET", "/version", "").status(),
        200
    );
    let other = log_in(&one, "root@pam", first["ticket"].as_str().expect("text"));
    assert_eq!(other.status(), 401, "somebody else's ticket");
}

#[test]
fn tickets_open_consoles_with_every_package() {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    let guest = GuestSpec::lxc(100, "web1", "pve3", Os::Debian).shell_console();
    let cluster = proxmox_sim::ClusterSpec::new("lab", "Lab").release(Release::Pve8);
    let bench = Bench::start(proxmox_sim::Scenario::Custom(vec![
        cluster.nodes(["pve3"]).guests(vec![guest]),
    ]));
    let known = bench.sim.clusters()[0].clone();
    let one = bench.ask(0, 0);
    let user = with_ticket(&one, &log_in(&one, &known.user, &known.password).data());
    let mut terminal = Terminal::enter(&user, "pve3", 100);
    terminal.sees("root@web1:/# ");
    let tasks = one.get("/nodes/pve3/tasks?source=active");
    assert_eq!(tasks[0]["user"], json!("muster@pve"));
}

#[test]
fn a_form_with_a_realm_is_a_login_too() {
    let bench = Bench::start(one_node(vec![]));
    let known = bench.sim.clusters()[0].clone();
    let form = format!("username=muster&realm=pve&password={}", known.password);
    let answer = bench
        .ask(0, 0)
        .anonymous()
        .send("POST", "/api2/json/access/ticket", FORM, &form);
    assert_eq!(answer.data()["username"], "muster@pve");
}
