//! Packages that are really installed in light guests, by the real apt and dpkg of this machine.

use proxmox_sim::{Flaw, GuestSpec, Os, PackageSpec, Sim};

use crate::client::{Bench, one_node, until};

const OLD: &str = "1.22.1-9+deb12u2";
const NEW: &str = "1.22.1-9+deb12u3";

fn nginx() -> PackageSpec {
    PackageSpec::security("nginx", OLD, NEW).service()
}

/// A guest with an update of nginx that it knows of.
fn bench(offer: PackageSpec) -> Bench {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    let bench = Bench::start(one_node(vec![
        GuestSpec::lxc(100, "web1", "pve1", Os::Debian).updates(vec![offer]),
    ]));
    assert_eq!(run(&bench.sim, "command -v apt-get").0, 0, "this machine has no apt");
    let (code, said) = run(&bench.sim, "apt-get -q update");
    assert_eq!(code, 0, "{said}");
    bench
}

/// Runs a line of shell in the guest: exit code and all that it printed.
fn run(sim: &Sim, line: &str) -> (i64, String) {
    let ran = sim
        .ctl(&format!("guest exec --cluster lab --vmid 100 -- sh -c '({line}) 2>&1'"))
        .expect("it runs");
    (
        ran["exit"].as_i64().expect("a code"),
        ran["stdout"].as_str().expect("text").trim_end().to_owned(),
    )
}

fn state(sim: &Sim) -> (String, String) {
    let package = run(sim, "dpkg-query -W -f=\"\\${db:Status-Abbrev}\\${Version}\" nginx").1;
    (package, run(sim, "systemctl is-active nginx").1)
}

const UPGRADE: &str = "DEBIAN_FRONTEND=noninteractive apt-get -qy dist-upgrade";

#[test]
fn an_update_brings_files_and_restarts_its_service() {
    let bench = bench(nginx());
    let sim = &bench.sim;
    assert_eq!(state(sim), (format!("ii {OLD}"), "active".to_owned()));
    let main = || run(sim, "systemctl show nginx | grep MainPID").1;
    let before = main();
    let (code, said) = run(sim, UPGRADE);
    assert_eq!(code, 0, "{said}");
    assert_eq!(state(sim), (format!("ii {NEW}"), "active".to_owned()), "{said}");
    assert_ne!(main(), before, "it was restarted");
    assert_eq!(run(sim, "cat /opt/nginx/VERSION").1, NEW);
    assert_eq!(
        run(sim, "cat /etc/nginx/nginx.conf").1,
        format!("# Settings of nginx {NEW}")
    );
    assert_eq!(run(sim, "grep -q upgrade /var/log/dpkg.log").0, 0, "dpkg keeps its log");
    let (code, said) = run(sim, &format!("apt-get -qy --allow-downgrades install nginx={OLD}"));
    assert_eq!(code, 0, "{said}");
    assert_eq!(state(sim), (format!("ii {OLD}"), "active".to_owned()));
}

#[test]
fn a_script_that_fails_leaves_the_package_half_configured() {
    let bench = bench(nginx().flaw(Flaw::Postinst));
    let (code, said) = run(&bench.sim, UPGRADE);
    assert_eq!(code, 100, "{said}");
    assert!(said.contains("cannot convert its data"), "{said}");
    assert_eq!(state(&bench.sim).0, format!("iF {NEW}"));
    assert_ne!(run(&bench.sim, "dpkg --configure -a").0, 0, "it fails again");
}

#[test]
fn a_service_that_does_not_start_is_seen_after_the_update() {
    let bench = bench(nginx().flaw(Flaw::Service));
    let (code, said) = run(&bench.sim, UPGRADE);
    assert_eq!(code, 0, "{said}");
    until("the service has failed", || {
        state(&bench.sim) == (format!("ii {NEW}"), "failed".to_owned())
    });
}

#[test]
fn a_question_is_asked_unless_nobody_is_there() {
    let bench = bench(nginx().flaw(Flaw::Asks));
    let (code, said) = run(&bench.sim, "apt-get -qy dist-upgrade </dev/null");
    assert_ne!(code, 0, "{said}");
    assert!(said.contains("Convert all data?"), "{said}");
    let (code, said) = run(&bench.sim, "DEBIAN_FRONTEND=noninteractive dpkg --configure -a");
    assert_eq!((code, state(&bench.sim).0), (0, format!("ii {NEW}")), "{said}");
}

#[test]
fn a_published_version_can_be_installed_after_others() {
    let bench = bench(nginx());
    assert_eq!(run(&bench.sim, UPGRADE).0, 0);
    let publish = "package publish --cluster lab --vmid 100 --name nginx --version 2.0-1 --flaw service";
    bench.sim.ctl(publish).expect("published");
    assert_eq!(run(&bench.sim, "apt-get -q update").0, 0);
    assert_eq!(run(&bench.sim, UPGRADE).0, 0);
    until("the service has failed", || {
        state(&bench.sim) == ("ii 2.0-1".to_owned(), "failed".to_owned())
    });
    assert_eq!(
        run(
            &bench.sim,
            "apt-get -qy --allow-downgrades install nginx=1.22.1-9+deb12u2"
        )
        .0,
        0
    );
    assert_eq!(state(&bench.sim).1, "active", "the old version works");
}
