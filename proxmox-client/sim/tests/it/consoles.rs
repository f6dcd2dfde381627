//! Consoles of containers: the calls, the terminal program, and real shells on one shared terminal.

use std::io::Write;

use proxmox_sim::{ClusterSpec, GuestSpec, Os, Packages, Release, Scenario, Shell};
use serde_json::{Value, json};

use crate::client::{Asker, Bench, one_node, two_nodes, until};
use crate::terminal::{self, Terminal, UPGRADE};

fn bench(scenario: Scenario) -> Bench {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    Bench::start(scenario)
}

fn shell(vmid: u32) -> GuestSpec {
    GuestSpec::lxc(vmid, "web1", "pve1", Os::Debian).shell_console()
}

fn task(asker: &Asker, upid: &str) -> Value {
    let node = upid.split(':').nth(1).expect("a node");
    asker.get(&format!("/nodes/{node}/tasks/{}/status", upid.replace(':', "%3A")))
}

fn log(asker: &Asker, upid: &str) -> Vec<String> {
    let node = upid.split(':').nth(1).expect("a node");
    let lines = asker.get(&format!("/nodes/{node}/tasks/{}/log", upid.replace(':', "%3A")));
    let lines = lines.as_array().expect("a list").iter();
    lines.map(|line| line["t"].as_str().expect("text").to_owned()).collect()
}

/// Waits until a task has ended and says how.
fn end_of(asker: &Asker, upid: &str) -> String {
    until("the task ends", || task(asker, upid)["status"] == "stopped");
    task(asker, upid)["exitstatus"].as_str().expect("text").to_owned()
}

#[test]
fn a_shell_console_is_a_root_shell() {
    let bench = bench(one_node(vec![shell(100)]));
    let asker = bench.ask(0, 0);
    let mut terminal = Terminal::enter(&asker, "pve1", 100);
    assert_eq!(terminal.sees("root@web1:/# "), "\u{1b}[H\u{1b}[J\u{1b}[?2004h");
    terminal.press("echo $TERM $HOME $container; pwd; tty; id -u; stty size\r");
    terminal.sees("linux lxc\r\r\n/\r\r\n/dev/pts/0\r\r\n0\r\r\n20 80\r\r\n");
    terminal.send("1:120:40:");
    terminal.press("stty size\r");
    terminal.sees("40 120\r\r\n");
    terminal.press("echo $PPID; ps -o pid= -o sid= -p $$\r");
    terminal.cut();
}

#[test]
fn every_shell_has_its_own_prompt() {
    let with = |vmid, shell_of: Shell| shell(vmid).shell(shell_of);
    let bench = bench(one_node(vec![
        with(100, Shell::Bash),
        with(101, Shell::Dash),
        with(102, Shell::Ash),
    ]));
    let asker = bench.ask(0, 0);
    for (vmid, prompt, name) in [
        (100, "root@web1:/# ", "bash"),
        (101, "# ", "dash"),
        (102, "/ # \u{1b}[6n", "ash"),
    ] {
        let mut terminal = Terminal::enter(&asker, "pve1", vmid);
        terminal.sees(prompt);
        terminal.press("echo I am ${0##*/}\r");
        terminal.sees(&format!("I am {name}\r\r\n"));
    }
}

#[test]
fn a_login_console_lets_nobody_in() {
    let bench = bench(one_node(vec![GuestSpec::lxc(101, "db1", "pve1", Os::Debian)]));
    let asker = bench.ask(0, 0);
    let mut terminal = Terminal::enter(&asker, "pve1", 101);
    terminal.sees("Debian GNU/Linux 12 db1 tty1\r\r\n\r\r\ndb1 login: ");
    terminal.press("root\r");
    terminal.sees("root\r\r\nPassword: ");
    terminal.press("hunter2\r");
    assert!(!terminal.sees("Login incorrect").contains("hunter2"));
    terminal.sees("db1 login: ");
}

#[test]
fn everybody_shares_one_terminal_that_outlives_its_connections() {
    let bench = bench(one_node(vec![shell(100)]));
    let asker = bench.ask(0, 0);
    let mut one = Terminal::enter(&asker, "pve1", 100);
    one.sees("# ");
    one.press("x=4711; cd /usr\r");
    one.sees("/usr# ");
    let mut two = Terminal::enter(&asker, "pve1", 100);
    two.sees("\u{1b}[H\u{1b}[J");
    assert_eq!(two.screen, "", "no prompt is shown again");
    two.press("echo $((x+1)); pwd\r");
    one.sees("4712\r\r\n/usr\r\r\n");
    two.sees("4712\r\r\n/usr\r\r\n");
    let upids = [one.upid.clone(), two.upid.clone()];
    one.cut();
    two.cut();
    for upid in &upids {
        assert_eq!(end_of(&asker, upid), "OK", "who leaves first leaves well");
    }
    let mut three = Terminal::enter(&asker, "pve1", 100);
    three.press("echo still $x\r");
    three.sees("still 4711\r\r\n");
}

#[test]
fn the_end_of_a_shell_is_seen_or_not() {
    let bench = bench(one_node(vec![shell(100)]));
    let asker = bench.ask(0, 0);
    let mut lingered = 0;
    for _ in 0..3 {
        let mut terminal = Terminal::enter(&asker, "pve1", 100);
        terminal.sees("# ");
        terminal.press("exit\r");
        terminal.sees("exit\r\r\n");
        // Only a key ends a connection that stays open; the others have ended by then.
        terminal.send("2");
        terminal.press("\r");
        lingered += usize::from(terminal.sees_the_end().contains("[EOF - dtach terminating]"));
        let end = end_of(&asker, &terminal.upid);
        assert!(
            end.starts_with("command '/usr/bin/termproxy 5900 --path /vms/100 --perm VM.Console --vncticket"),
            "{end}"
        );
        assert!(
            end.ends_with("lxc-attach --clear-env -n 100' failed: exit code 1"),
            "{end}"
        );
        let log = log(&asker, &terminal.upid);
        assert!(log[0].starts_with("client connection: 127.0.0.1:"), "{log:?}");
        assert_eq!(log[1], "error reading from pty: Input/output error (os error 5)");
    }
    assert_eq!(lingered, 1);
}

#[test]
fn a_terminal_waits_ten_seconds_for_one_client() {
    let bench = bench(one_node(vec![shell(100)]));
    let asker = bench.ask(0, 0);
    let granted = terminal::ask(&asker, "pve1", 100);
    let path = terminal::path("pve1", 100, &granted.port, &granted.ticket);
    bench.pass(11);
    assert!(
        terminal::upgrade(&asker, &path, UPGRADE).0.is_none(),
        "not even a refusal comes"
    );
    assert!(end_of(&asker, &granted.upid).ends_with("failed: exit code 1"));
    assert_eq!(log(&asker, &granted.upid)[0], "failed waiting for client: timed out");

    let granted = terminal::ask(&asker, "pve1", 100);
    let path = terminal::path("pve1", 100, &granted.port, &granted.ticket);
    let first = terminal::upgrade(&asker, &path, UPGRADE);
    assert_eq!(first.0.expect("answered").status(), 101);
    assert!(
        terminal::upgrade(&asker, &path, UPGRADE).0.is_none(),
        "there is one client already"
    );
    bench.pass(60);
    let old = asker.ask("GET", &path, "");
    assert_eq!(
        old.status_line,
        "HTTP/1.1 401 permission denied - invalid PVEVNC ticket"
    );
}

#[test]
fn ports_are_those_of_the_node_that_was_asked() {
    let bench = bench(two_nodes(vec![shell(100), shell(101)]));
    let (one, two) = (bench.ask(0, 0), bench.ask(0, 1));
    let first = terminal::ask(&one, "pve1", 100);
    let second = terminal::ask(&one, "pve1", 101);
    let elsewhere = terminal::ask(&two, "pve1", 101);
    assert_eq!(
        [&*first.port, &*second.port, &*elsewhere.port],
        ["5900", "5901", "5900"]
    );
    assert!(elsewhere.upid.starts_with("UPID:pve2:"));
    let path = terminal::path("pve1", 101, &second.port, &second.ticket);
    assert!(
        terminal::upgrade(&two, &path, UPGRADE).0.is_none(),
        "nobody listens there"
    );
    assert_eq!(
        terminal::upgrade(&one, &path, UPGRADE).0.expect("answered").status(),
        101
    );
}

#[test]
fn a_container_of_another_node_is_reached_by_ssh() {
    let bench = bench(two_nodes(vec![
        GuestSpec::lxc(110, "mail1", "pve2", Os::Debian).shell_console(),
    ]));
    let asker = bench.ask(0, 0);
    let mut terminal = Terminal::enter(&asker, "pve2", 110);
    terminal.sees("root@mail1:/root# ");
    terminal.press("pwd\r");
    terminal.sees("/root\r\r\n");
    terminal.cut();
    bench.sim.ctl("node stop --cluster lab --node pve2").expect("stopped");
    let mut terminal = Terminal::enter(&asker, "pve2", 110);
    let said = terminal.sees_the_end();
    assert_eq!(said, "ssh: connect to host 127.70.0.11 port 22: No route to host\r\r\n");
    assert!(end_of(&asker, &terminal.upid).contains("-t root@127.70.0.11 -- /usr/bin/dtach"));
}

#[test]
fn a_stopped_container_has_a_console_with_a_complaint() {
    let login = GuestSpec::lxc(101, "db1", "pve1", Os::Debian).stopped();
    let bench = bench(one_node(vec![shell(100).stopped(), login]));
    let asker = bench.ask(0, 0);
    for (vmid, complaint) in [(100, "Failed to get init pid"), (101, "130 101 is not running")] {
        let mut terminal = Terminal::enter(&asker, "pve1", vmid);
        terminal.sees(complaint);
        terminal.sees("[EOF - dtach terminating]");
        terminal.press("\r");
        terminal.sees_the_end();
    }
}

#[test]
fn a_container_that_is_stopped_takes_its_console_with_it() {
    let bench = bench(one_node(vec![shell(100)]));
    let asker = bench.ask(0, 0);
    let mut terminal = Terminal::enter(&asker, "pve1", 100);
    terminal.sees("# ");
    terminal.press("x=1\r");
    terminal.sees("# ");
    bench
        .sim
        .ctl("guest reboot --cluster lab --vmid 100")
        .expect("rebooted");
    terminal.press("\r");
    terminal.press("\r");
    terminal.sees_the_end();
    let mut terminal = Terminal::enter(&asker, "pve1", 100);
    terminal.sees("# ");
    terminal.press("echo [$x]\r");
    terminal.sees("[]\r\r\n");
}

#[test]
fn the_consoles_mode_is_the_one_in_force() {
    let bench = bench(one_node(vec![GuestSpec::lxc(100, "web1", "pve1", Os::Debian)]));
    let asker = bench.ask(0, 0);
    assert_eq!(
        asker.ask("PUT", "/nodes/pve1/lxc/100/config", "cmode=shell").status(),
        200
    );
    Terminal::enter(&asker, "pve1", 100).sees("web1 login: ");
    let reboot = asker.ask("POST", "/nodes/pve1/lxc/100/status/reboot", "");
    assert_eq!(reboot.status(), 200);
    bench.pass(5);
    Terminal::enter(&asker, "pve1", 100).sees("root@web1:/# ");
}

#[test]
fn tokens_are_let_in_by_newer_packages_only() {
    for (release, packages, lets_in) in [
        (Release::Pve9, Packages::Newer, true),
        (Release::Pve9, Packages::Older, false),
        (Release::Pve8, Packages::Newer, true),
        (Release::Pve8, Packages::Older, false),
    ] {
        let cluster = ClusterSpec::new("lab", "Lab").release(release).packages(packages);
        let bench = bench(Scenario::Custom(vec![cluster.nodes(["pve1"]).guests(vec![shell(100)])]));
        let asker = bench.ask(0, 0);
        let mut terminal = Terminal::open(&asker, "pve1", 100);
        if lets_in {
            terminal.sees("OK");
            continue;
        }
        assert_eq!(terminal.sees_the_end(), "");
        let end = end_of(&asker, &terminal.upid);
        let expected = "command '/usr/bin/termproxy 5900 --path /vms/100 --perm VM.Console -- /usr/bin/dtach -A \
                        /var/run/dtach/vzctlconsole100 -r winch -z lxc-attach --clear-env -n 100' failed: exit code 1";
        assert_eq!(end, expected);
        assert_eq!(log(&asker, &terminal.upid)[1], "authentication request failed");
    }
}

#[test]
fn a_wrong_login_line_is_answered_by_nothing() {
    let bench = bench(one_node(vec![shell(100), shell(101)]));
    let asker = bench.ask(0, 0);
    let granted = terminal::ask(&asker, "pve1", 100);
    let mut terminal = Terminal::connect(&asker, "pve1", 100, &granted);
    terminal.send(&format!("muster@pve:{}\n", granted.ticket));
    assert_eq!(terminal.sees_the_end(), "");
    let other = terminal::ask(&asker, "pve1", 101);
    let mut terminal = Terminal::connect(&asker, "pve1", 101, &other);
    terminal.send(&format!("{}:{}\n", other.user, granted.ticket));
    assert_eq!(terminal.sees_the_end(), "", "the ticket of another console");
}

#[test]
fn keys_before_the_first_prompt_are_shown_and_lost() {
    let bench = bench(one_node(vec![shell(100)]));
    let mut terminal = Terminal::open(&bench.ask(0, 0), "pve1", 100);
    terminal.press("touch /root/early\r");
    terminal.sees("root@web1:/# ");
    terminal.press("ls /root; echo done\r");
    assert!(!terminal.sees("done\r\r\n").contains("early\r\r\n"));
}

#[test]
fn frames_are_taken_as_pveproxy_takes_them() {
    let bench = bench(one_node(vec![shell(100)]));
    let asker = bench.ask(0, 0);
    let too_large = [&[0x82, 0xff][..], &(128u64 * 1024 + 1).to_be_bytes(), &[0; 4]].concat();
    for (what, frame) in [
        ("unmasked", &[0x82, 0x01, b'2'][..]),
        ("a fragment", &[0x02, 0x81, 0, 0, 0, 0, b'2']),
        ("compressed", &[0xc2, 0x81, 0, 0, 0, 0, b'2']),
        ("too large", &too_large),
        ("a farewell", &[0x88, 0x80, 0, 0, 0, 0]),
    ] {
        let mut terminal = Terminal::enter(&asker, "pve1", 100);
        terminal.ping();
        terminal.raw().write_all(frame).expect("sent");
        terminal.raw().flush().expect("sent");
        terminal.sees_the_end();
        assert_eq!(end_of(&asker, &terminal.upid), "OK", "{what}");
    }
}

#[test]
fn a_key_leaves_the_terminal_to_others() {
    let bench = bench(one_node(vec![shell(100)]));
    let asker = bench.ask(0, 0);
    let mut terminal = Terminal::enter(&asker, "pve1", 100);
    terminal.sees("# ");
    terminal.press("x=8\r");
    terminal.sees("# ");
    terminal.press("\u{1c}");
    assert!(terminal.sees_the_end().contains("[detached]"));
    let mut terminal = Terminal::enter(&asker, "pve1", 100);
    terminal.press("echo $x$x\r");
    terminal.sees("88\r\r\n");
}

#[test]
fn a_stopped_task_cuts_its_client_and_leaves_the_shell() {
    let bench = bench(one_node(vec![shell(100)]));
    let asker = bench.ask(0, 0);
    let mut terminal = Terminal::enter(&asker, "pve1", 100);
    terminal.sees("# ");
    terminal.press("x=8\r");
    terminal.sees("# ");
    let active = asker.get("/nodes/pve1/tasks?source=active&vmid=100&typefilter=vncproxy");
    assert_eq!(
        (&active[0]["upid"], &active[0]["status"]),
        (&json!(terminal.upid), &json!("RUNNING"))
    );
    let task = format!("/nodes/pve1/tasks/{}", terminal.upid.replace(':', "%3A"));
    assert_eq!(asker.ask("DELETE", &task, "").status(), 200);
    terminal.sees_the_end();
    assert_eq!(end_of(&asker, &terminal.upid), "received interrupt");
    let mut terminal = Terminal::enter(&asker, "pve1", 100);
    terminal.press("echo $x$x\r");
    terminal.sees("88\r\r\n");
}

#[test]
fn a_connection_breaks_off_as_planned() {
    let bench = bench(one_node(vec![shell(100)]));
    let asker = bench.ask(0, 0);
    let plan = "guest fail --cluster lab --vmid 100 --operation console --after 1";
    bench.sim.ctl(plan).expect("planned");
    let mut terminal = Terminal::enter(&asker, "pve1", 100);
    terminal.sees("# ");
    terminal.press("x=8\r");
    terminal.sees("# ");
    terminal.press("x=9\r");
    terminal.sees_the_end();
    assert_eq!(end_of(&asker, &terminal.upid), "OK");
    let mut terminal = Terminal::enter(&asker, "pve1", 100);
    terminal.press("echo $x$x\r");
    terminal.sees("88\r\r\n");
}
