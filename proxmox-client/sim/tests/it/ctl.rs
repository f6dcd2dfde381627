//! The program: serving, and requests by its socket.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::client::until;

/// A running `proxmox-sim serve`, killed at the end of the test.
struct Served {
    child: Child,
    folder: tempfile::TempDir,
}

impl Served {
    fn start() -> Served {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--port", "0", "--state"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says when it is ready");
        assert!(
            line.starts_with("sim ready: ") && line.trim_end().ends_with("/clusters.json"),
            "{line}"
        );
        Served { child, folder }
    }

    fn ctl(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the program runs")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["ctl", "--state"]).arg(self.folder.path()).args(words);
        command
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_proxmox-sim");

#[test]
fn clusters_json_has_what_a_manager_needs() {
    let served = Served::start();
    let text = std::fs::read_to_string(served.folder.path().join("clusters.json")).expect("it was written");
    let clusters: Value = serde_json::from_str(&text).expect("JSON");
    let names: Vec<&str> = clusters
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|c| c["name"].as_str())
        .collect();
    assert_eq!(names, ["homelab-1", "homelab-2", "homelab-3"]);
    let first = &clusters[0];
    assert_eq!(first["endpoints"].as_array().map(Vec::len), Some(2));
    assert!(
        first["endpoints"][0]
            .as_str()
            .is_some_and(|url| url.starts_with("https://127.70.0.10:"))
    );
    assert!(Path::new(first["ca_file"].as_str().expect("a path")).is_file());
    assert_eq!(
        (&first["demo_adds"], &clusters[2]["demo_adds"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
}

#[test]
fn commands_use_the_streams_and_the_exit_code_of_the_program() {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    let served = Served::start();
    let words = [
        "guest",
        "exec",
        "--cluster",
        "homelab-1",
        "--vmid",
        "100",
        "--",
        "sh",
        "-c",
        "cat; echo e >&2; exit 9",
    ];
    let mut command = served.command(&words);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(b"through \xff")
        .expect("written");
    let output = child.wait_with_output().expect("ends");
    assert_eq!(
        (output.status.code(), output.stdout, output.stderr),
        (Some(9), b"through \xff".to_vec(), b"e\n".to_vec())
    );
}

#[test]
fn a_killed_simulator_leaves_no_process() {
    proxmox_sim::check_guests().expect("guests can run on this machine");
    let mut served = Served::start();
    let nap = format!("7{}", served.child.id());
    let start = format!("setsid sleep {nap} >/dev/null 2>&1 </dev/null & ");
    let started = served.ctl(&[
        "guest",
        "exec",
        "--cluster",
        "homelab-1",
        "--vmid",
        "101",
        "--",
        "sh",
        "-c",
        &start,
    ]);
    assert!(started.status.success());
    let runs = || {
        let all = std::fs::read_dir("/proc").expect("there is /proc").flatten();
        let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        lines
            .into_iter()
            .any(|line| line.split(|byte| *byte == 0).any(|word| word == nap.as_bytes()))
    };
    assert!(runs());
    served.child.kill().expect("killed as by kill -9");
    until("the guest's processes end", || !runs());
}

#[test]
fn requests_change_the_world_and_say_what_is_wrong() {
    let served = Served::start();
    let create = [
        "guest",
        "create",
        "--cluster",
        "homelab-2",
        "--node",
        "pve3",
        "--vmid",
        "350",
        "--name",
        "new",
        "--os",
        "alpine",
    ];
    assert!(served.ctl(&create).status.success());
    let list: Value = serde_json::from_slice(&served.ctl(&["list"]).stdout).expect("JSON");
    let guests = list[1]["guests"].as_array().expect("a list");
    assert!(
        guests
            .iter()
            .any(|guest| guest["vmid"] == 350 && guest["os"] == "alpine" && guest["running"] == true)
    );
    let again = served.ctl(&create);
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("there is a guest 350 already"));
    let delete = ["guest", "delete", "--cluster", "homelab-2", "--vmid", "350"];
    assert!(served.ctl(&delete).status.success());
    let nowhere = served.ctl(&["guest", "stop", "--cluster", "nosuch", "--vmid", "1"]);
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("there are: homelab-1, homelab-2, homelab-3"));
}
