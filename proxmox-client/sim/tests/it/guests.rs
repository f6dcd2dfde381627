//! What runs inside the light guests. Needs user namespaces.

use std::path::Path;

use proxmox_sim::{GuestSpec, Options, Os, PackageSpec, Scenario, Sim, Timing};
use serde_json::{Value, json};

use crate::client::{Bench, one_node, two_nodes, until};

/// A simulator whose guests can run commands, or a panic that says what to change on this machine.
fn start(scenario: Scenario) -> Bench {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    Bench::start(scenario)
}

fn lxc(vmid: u32, os: Os) -> GuestSpec {
    GuestSpec::lxc(vmid, &format!("guest-{vmid}"), "pve1", os)
}

/// Runs a line of shell in a guest: exit code and what it printed.
fn run(sim: &Sim, vmid: u32, line: &str) -> (i64, String) {
    let cluster = &sim.clusters()[0].name;
    let ran = sim
        .ctl(&format!(
            "guest exec --cluster {cluster} --vmid {vmid} -- sh -c '{line}'"
        ))
        .expect("it runs");
    (ran["exit"].as_i64().expect("a code"), text(&ran, "stdout"))
}

fn text(ran: &Value, stream: &str) -> String {
    ran[stream].as_str().expect("text").trim_end().to_owned()
}

/// Runs a line in the shell of pve1.
fn shell(sim: &Sim, line: &str) -> Value {
    sim.ctl(&format!("node shell --cluster lab --node pve1 -- \"{line}\""))
        .expect("it runs")
}

#[test]
fn a_guest_is_a_system_of_its_own() {
    let bench = start(one_node(vec![lxc(100, Os::Debian), lxc(101, Os::Alpine)]));
    let sim = &bench.sim;
    assert_eq!(
        run(sim, 100, "uname -n; id -u; echo $PWD"),
        (0, "guest-100\n0\n/".to_owned())
    );
    assert_eq!(run(sim, 100, ". /etc/os-release; echo $ID"), (0, "debian".to_owned()));
    assert_eq!(run(sim, 101, ". /etc/os-release; echo $ID"), (0, "alpine".to_owned()));
    assert_eq!(run(sim, 100, "exit 7").0, 7);
    assert_ne!(run(sim, 100, "touch /usr/bin/mine").0, 0, "programs are read-only");
    assert_eq!(
        run(sim, 100, "echo mine >/etc/mine; cat /etc/mine"),
        (0, "mine".to_owned())
    );
    assert_ne!(run(sim, 101, "cat /etc/mine").0, 0, "another guest has its own files");
    assert!(!Path::new("/etc/mine").exists(), "and so has this machine");
    let both = [
        run(sim, 100, "cat /etc/machine-id"),
        run(sim, 101, "cat /etc/machine-id"),
    ];
    assert_ne!(both[0], both[1]);
    let boot = || run(sim, 100, "cat /proc/sys/kernel/random/boot_id").1;
    let (first, again) = (boot(), boot());
    assert_eq!(first, again);
    sim.ctl("guest reboot --cluster lab --vmid 100").expect("rebooted");
    assert_ne!(first, boot(), "every boot has its own id");
    assert_ne!(
        run(sim, 100, "echo 1 >/proc/sys/kernel/panic").0,
        0,
        "settings of the kernel are read-only"
    );
}

#[test]
fn systems_without_debian_packages_have_no_apt() {
    let bench = start(one_node(vec![
        lxc(100, Os::Fedora),
        lxc(101, Os::Alpine),
        lxc(102, Os::Debian),
    ]));
    let has = |vmid, program: &str| run(&bench.sim, vmid, &format!("command -v {program}")).0 == 0;
    assert!(!has(100, "apt-get") && !has(100, "dpkg-query") && has(100, "systemctl"));
    assert!(!has(101, "apt-get") && !has(101, "systemctl") && has(101, "rc-service"));
    assert!(has(102, "systemctl") && !has(102, "rc-service"));
}

#[test]
fn apt_shows_offers_after_an_update() {
    let bench = start(one_node(vec![lxc(100, Os::Debian).updates(vec![
        PackageSpec::security("nginx", "1.22.1-9+deb12u2", "1.22.1-9+deb12u3"),
        PackageSpec::update("tzdata", "2025a-0+deb12u1", "2025b-0+deb12u1"),
    ])]));
    let sim = &bench.sim;
    if run(sim, 100, "command -v apt-get").0 != 0 {
        panic!("this machine has no apt: its guests have no package data to test");
    }
    let arch = run(sim, 100, "dpkg --print-architecture").1;
    let simulate = "apt-get -s -o Debug::NoLocking=1 dist-upgrade | grep ^Inst";
    assert_eq!(
        run(sim, 100, simulate).1,
        "",
        "nothing is known before the first update"
    );
    assert_eq!(run(sim, 100, "apt-get -q update >/dev/null 2>&1").0, 0);
    let security = format!("(1.22.1-9+deb12u3 Debian-Security:12/oldstable-security [{arch}])");
    let ordinary = format!("(2025b-0+deb12u1 Debian:12.11/oldstable [{arch}])");
    let expected = format!("Inst nginx [1.22.1-9+deb12u2] {security}\nInst tzdata [2025a-0+deb12u1] {ordinary}");
    assert_eq!(run(sim, 100, simulate).1, expected);
    let publish = "package publish --cluster lab --all --name openssl --version 3.0.17-1~deb12u9 --security";
    assert_eq!(sim.ctl(publish).expect("published"), json!({ "offered_to": [100] }));
    assert_eq!(run(sim, 100, simulate).1, expected, "not before the next update");
    assert_eq!(run(sim, 100, "apt-get -q update >/dev/null 2>&1").0, 0);
    assert!(
        run(sim, 100, simulate)
            .1
            .contains("Inst openssl [3.0.16-1~deb12u1] (3.0.17-1~deb12u9 Debian-Security")
    );
    let installed = run(sim, 100, "dpkg-query -W -f=\"\\${Version}\" nginx");
    assert_eq!(installed, (0, "1.22.1-9+deb12u2".to_owned()));
    assert!(
        sim.ctl("package publish --cluster lab --vmid 100 --name nosuch --version 1")
            .is_err()
    );
}

#[test]
fn alpine_guests_have_an_apk_that_tells_what_is_outdated() {
    let updates = vec![PackageSpec::security("nginx", "1.28.0-r3", "1.28.0-r4")];
    let bench = start(one_node(vec![lxc(100, Os::Alpine).updates(updates)]));
    let sim = &bench.sim;
    let publish = "package publish --cluster lab --vmid 100 --name openssl --version 3.5.9-r0";
    assert_eq!(sim.ctl(publish).expect("published"), json!({ "offered_to": [100] }));
    assert_eq!(run(sim, 100, "apk update >/dev/null").0, 0);
    let simulated = "(1/2) Upgrading nginx (1.28.0-r3 -> 1.28.0-r4)\n(2/2) Upgrading openssl (3.5.4-r0 -> 3.5.9-r0)\n\
                     OK: 12 MiB in 25 packages";
    assert_eq!(run(sim, 100, "apk upgrade --simulate"), (0, simulated.to_owned()));
}

#[test]
fn arch_guests_have_the_real_pacman_over_their_own_data() {
    if !has_pacman("arch_guests_have_the_real_pacman_over_their_own_data") {
        return;
    }
    let updates = vec![PackageSpec::update("linux-api-headers", "6.15-1", "6.16-1")];
    let bench = start(one_node(vec![lxc(100, Os::Arch).updates(updates)]));
    let sim = &bench.sim;
    assert_eq!(run(sim, 100, "pacman -Sy --noconfirm >/dev/null 2>&1").0, 0);
    assert_eq!(
        run(sim, 100, "pacman -Qu"),
        (0, "linux-api-headers 6.15-1 -> 6.16-1".to_owned())
    );
    let publish = "package publish --cluster lab --vmid 100 --name openssl --version 3.6.0-1";
    assert_eq!(sim.ctl(publish).expect("published"), json!({ "offered_to": [100] }));
    assert_eq!(run(sim, 100, "pacman -Syy --noconfirm >/dev/null 2>&1").0, 0);
    assert!(run(sim, 100, "pacman -Qu").1.contains("openssl 3.5.4-1 -> 3.6.0-1"));
}

/// Whether this machine has pacman. A test without it is noted in the file that `make test` counts; in CI that is a
/// failure at once.
fn has_pacman(test: &str) -> bool {
    if std::path::Path::new("/usr/bin/pacman").exists() {
        return true;
    }
    let missing = format!("{test}: this machine has no pacman");
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    eprintln!("skipped: {missing}");
    if let Some(path) = std::env::var_os("TEST_SKIPS") {
        let file = std::fs::File::options().append(true).create(true).open(path);
        let noted = file.and_then(|mut file| std::io::Write::write_all(&mut file, format!("{missing}\n").as_bytes()));
        noted.expect("the list of skips is written");
    }
    false
}

const UNIT: &str = "mkdir -p /opt; printf \"[Service]\\nExecStart=/bin/sleep 4000\\nRestart=always\\nRestartSec=0\\n\" \
                    >/etc/systemd/system/nap.service";

#[test]
fn systemctl_keeps_services_running() {
    let bench = start(one_node(vec![lxc(100, Os::Debian)]));
    let sim = &bench.sim;
    assert_eq!(run(sim, 100, "systemctl start nap").0, 5, "there is no such unit");
    assert_eq!(run(sim, 100, UNIT).0, 0);
    assert_eq!(
        run(
            sim,
            100,
            "systemctl daemon-reload && systemctl enable --now nap && systemctl is-active nap"
        )
        .1,
        "active"
    );
    let main = || run(sim, 100, "systemctl show nap | sed -n s/MainPID=//p").1;
    let first = main();
    assert_eq!(run(sim, 100, &format!("kill {first}")).0, 0);
    until("it is started again", || !["0", &first].contains(&main().as_str()));
    assert_eq!(
        run(sim, 100, "systemctl stop nap; systemctl is-active nap"),
        (3, "inactive".to_owned())
    );
    sim.ctl("guest reboot --cluster lab --vmid 100").expect("rebooted");
    assert_eq!(
        run(sim, 100, "systemctl is-active nap"),
        (0, "active".to_owned()),
        "enabled services start"
    );
    assert_eq!(
        run(sim, 100, "systemctl disable --now nap 2>&1; systemctl is-enabled nap").0,
        1
    );
}

#[test]
fn rc_service_keeps_services_running() {
    let bench = start(one_node(vec![lxc(100, Os::Alpine)]));
    let sim = &bench.sim;
    let script = "printf \"#!/sbin/openrc-run\\nsupervisor=supervise-daemon\\ncommand=/bin/sleep\\ncommand_args=4000\\n\
                  respawn_delay=0\\n\" >/etc/init.d/nap; chmod 755 /etc/init.d/nap";
    assert_eq!(run(sim, 100, script).0, 0);
    assert_eq!(
        run(
            sim,
            100,
            "rc-update add nap default && rc-service nap restart >/dev/null && rc-service nap status"
        )
        .0,
        0
    );
    sim.ctl("guest reboot --cluster lab --vmid 100").expect("rebooted");
    assert_eq!(run(sim, 100, "rc-service nap status").0, 0);
    assert_eq!(
        run(sim, 100, "rc-service nap stop >/dev/null; rc-service nap status").0,
        3
    );
    assert_eq!(run(sim, 100, "rc-service nosuch start").0, 1);
}

#[test]
fn processes_end_with_their_guest() {
    let bench = start(one_node(vec![lxc(100, Os::Debian)]));
    let id = std::process::id();
    run(&bench.sim, 100, &format!("setsid sleep 5{id} >/dev/null 2>&1 &"));
    let runs = || is_running(&format!("5{id}"));
    assert!(runs());
    bench.sim.ctl("guest stop --cluster lab --vmid 100").expect("stopped");
    assert!(!runs());
    assert!(
        bench.sim.ctl("guest exec --cluster lab --vmid 100 -- true").is_err(),
        "it is off"
    );
}

#[test]
fn processes_end_with_the_simulator_and_files_stay() {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    let folder = tempfile::tempdir().expect("a folder");
    let options = || Options {
        scenario: one_node(vec![lxc(100, Os::Debian)]),
        state_dir: Some(folder.path().to_owned()),
        timing: Timing::default(),
        ..Options::default()
    };
    let sim = Sim::start(options()).expect("started");
    assert_eq!(run(&sim, 100, UNIT).0, 0);
    assert_eq!(
        run(
            &sim,
            100,
            "sed -i s/4000/6000/ /etc/systemd/system/nap.service; systemctl enable --now nap"
        )
        .0,
        0
    );
    let (fingerprint, token) = (
        sim.clusters()[0].fingerprint.clone(),
        sim.clusters()[0].token_secret.clone(),
    );
    drop(sim);
    until("the service ends", || !in_folder(folder.path()));
    let sim = Sim::start(options()).expect("started again");
    assert_eq!(
        (&sim.clusters()[0].fingerprint, &sim.clusters()[0].token_secret),
        (&fingerprint, &token)
    );
    until("the guest boots by itself, because it has services", || {
        in_folder(folder.path())
    });
    assert_eq!(run(&sim, 100, "systemctl is-active nap").1, "active");
}

/// Whether a process has this argument.
fn is_running(argument: &str) -> bool {
    processes()
        .iter()
        .any(|line| line.split('\0').any(|word| word == argument))
}

/// Whether the first process of a guest in this folder runs; unshare names the folder.
fn in_folder(folder: &Path) -> bool {
    processes()
        .iter()
        .any(|line| line.contains(&folder.display().to_string()))
}

fn processes() -> Vec<String> {
    let all = std::fs::read_dir("/proc").expect("there is /proc").flatten();
    all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect()
}

#[test]
fn an_isolated_guest_has_no_network() {
    let bench = start(one_node(vec![lxc(100, Os::Debian).isolated(), lxc(101, Os::Debian)]));
    let interfaces = |vmid| run(&bench.sim, vmid, "tail -n +3 /proc/net/dev | wc -l").1;
    let own = std::fs::read_to_string("/proc/net/dev")
        .expect("there is /proc")
        .lines()
        .count()
        - 2;
    assert_eq!(interfaces(100), "1");
    assert_eq!(interfaces(101), own.to_string());
}

#[test]
fn pct_passes_everything_through() {
    let bench = start(two_nodes(vec![
        lxc(100, Os::Debian),
        lxc(101, Os::Debian).stopped(),
        GuestSpec::lxc(200, "other", "pve2", Os::Debian),
    ]));
    let sim = &bench.sim;
    let ran = shell(
        sim,
        "printf 'a\\nb' | pct exec 100 -- sh -c 'cat; echo e >&2; exit 5'; echo ' code '$?",
    );
    assert_eq!(
        (text(&ran, "stdout"), text(&ran, "stderr")),
        ("a\nb code 5".to_owned(), "e".to_owned())
    );
    let ran = shell(
        sim,
        "X=1 pct exec 100 -- sh -c 'echo X$X'; X=1 pct exec 100 --keep-env 0 -- sh -c 'echo X$X'",
    );
    assert_eq!(text(&ran, "stdout"), "X1\nX");
    let ran = shell(sim, "pct status 100; pct status 101; id -u");
    assert_eq!(text(&ran, "stdout"), "status: running\nstatus: stopped\n0");
    let ran = shell(
        sim,
        "echo pushed >$(dirname $(command -v pct))/f; pct push 100 $(dirname $(command -v pct))/f /root/f \
        --perms 0700 && pct exec 100 -- stat -c %a /root/f && pct exec 100 -- cat /root/f",
    );
    assert_eq!(text(&ran, "stdout"), "700\npushed");
}

#[test]
fn pct_refuses_with_proxmox_ves_words() {
    let bench = start(two_nodes(vec![
        lxc(101, Os::Debian).stopped(),
        GuestSpec::lxc(200, "other", "pve2", Os::Debian),
    ]));
    for (line, words) in [
        ("pct exec 101 -- true", "container '101' not running!"),
        (
            "pct exec 200 -- true",
            "Configuration file 'nodes/pve1/lxc/200.conf' does not exist",
        ),
        (
            "pct status 999",
            "Configuration file 'nodes/pve1/lxc/999.conf' does not exist",
        ),
    ] {
        let ran = shell(&bench.sim, line);
        assert_eq!(
            (ran["exit"].as_i64(), text(&ran, "stderr").as_str()),
            (Some(255), words),
            "{line}"
        );
    }
}
