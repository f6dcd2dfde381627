//! The line for a PVE node: the real script with a scripted `pct` in front of guests in folders.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use anyhow::Result;
use muster_packages::install::{self, NodeGuest};
use tempfile::TempDir;

use crate::file_server::FileServer;
use crate::guest_root::{Client, GuestRoot, said};
use crate::install::{AGENT, install_from};
use crate::shell::SHELLS;

struct Node {
    folder: TempDir,
    guests: BTreeMap<u32, GuestRoot>,
}

impl Node {
    /// A node with these containers running; 199 is stopped, others do not exist.
    fn new(guests: impl IntoIterator<Item = (u32, GuestRoot)>) -> Result<Self> {
        let node = Self {
            folder: TempDir::new()?,
            guests: guests.into_iter().collect(),
        };
        let path = node.folder.path().join("pct");
        fs::create_dir(node.folder.path().join("tmp"))?;
        fs::write(&path, node.pct()?)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        Ok(node)
    }

    /// Behaves as the real one does: exit code and standard input pass through, push wants an existing folder.
    fn pct(&self) -> Result<String> {
        let mut pct = "#!/bin/sh\nverb=$1 vmid=$2\nshift 2\ncase $vmid in\n".to_owned();
        for (vmid, guest) in &self.guests {
            let enter: Vec<String> = guest
                .enter()
                .get_args()
                .map(|word| format!("'{}'", word.to_string_lossy()))
                .collect();
            writeln!(
                pct,
                "{vmid}) enter() {{ unshare {} \"$@\"; }}; root='{}' ;;",
                enter.join(" "),
                guest.path("").display()
            )?;
        }
        pct.push_str("199) root= ;;\n*) echo \"Configuration file 'nodes/pve1/lxc/$vmid.conf' does not exist\" >&2; exit 2 ;;\nesac\n");
        pct.push_str("case $verb in\n  status) if [ -n \"$root\" ]; then echo 'status: running'; else echo 'status: stopped'; fi ;;\n");
        pct.push_str("  exec) shift; enter \"$@\" ;;\n  push) cp \"$1\" \"$root$2\" ;;\nesac\n");
        Ok(pct)
    }

    /// Runs a line in the node's root shell.
    fn paste(&self, shell: &[&str], line: &str) -> Result<(i32, String)> {
        let mut command = Command::new("unshare");
        command.arg("--map-root-user").args(shell).args(["-c", line]);
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.folder.path().display());
        said(
            command
                .env_clear()
                .env("PATH", path)
                .env("TMPDIR", self.folder.path().join("tmp"))
                .output()?,
        )
    }
}

fn line(server: &FileServer, guests: &[(u32, &str)]) -> Result<String> {
    let script = install::node_script(&install_from(server))?;
    server.put("/install/9", script.text.as_str());
    let guests: Vec<NodeGuest> = guests
        .iter()
        .map(|(vmid, token)| NodeGuest {
            vmid: *vmid,
            token: (*token).to_owned(),
        })
        .collect();
    Ok(install::node_line(
        &format!("{}/install/9", server.url()),
        &script.sha256,
        &guests,
    )?)
}

#[test]
fn every_guest_gets_its_line_and_a_failure_does_not_stop_the_rest() -> Result<()> {
    for shell in SHELLS {
        let server = FileServer::start()?;
        let node = Node::new([
            (101, GuestRoot::debian(Client::Curl)?),
            (102, GuestRoot::debian(Client::None)?),
            (103, GuestRoot::debian(Client::Wget)?),
            (104, GuestRoot::alpine()?),
        ])?;
        let line = line(
            &server,
            &[
                (101, "a"),
                (199, "b"),
                (404, "c"),
                (103, "used"),
                (102, "d"),
                (104, "e"),
            ],
        )?;
        let wanted = "101 installed: muster-agent is online\n\
            199 skipped: it is not running\n\
            404 failed: Configuration file 'nodes/pve1/lxc/404.conf' does not exist\n\
            103 failed: Muster refused the enrolment: This token was used.\n\
            102 installed: muster-agent is online\n\
            104 installed: muster-agent is online\n\
            3 installed, 2 failed, 1 skipped\n";
        assert_eq!(node.paste(shell, &line)?, (1, wanted.to_owned()), "{shell:?}");
        for vmid in [101, 102, 104] {
            let guest = &node.guests[&vmid];
            assert_eq!(guest.read("usr/local/lib/muster/muster-agent")?, AGENT);
            assert_eq!(guest.list("usr/local/lib/muster")?, ["muster-agent"]);
            assert_eq!(guest.list("tmp")?, [""; 0]);
        }
        assert!(
            node.guests[&102]
                .read("var/lib/muster-agent/enrolled")?
                .contains("--token d ")
        );
        assert_eq!(
            fs::read_dir(node.folder.path().join("tmp"))?.count(),
            0,
            "nothing is left on the node"
        );
    }
    Ok(())
}

#[test]
fn all_well_ends_well() -> Result<()> {
    let server = FileServer::start()?;
    let node = Node::new([(101, GuestRoot::debian(Client::Curl)?)])?;
    let (code, said) = node.paste(SHELLS[0], &line(&server, &[(101, "a")])?)?;
    assert_eq!(
        (code, said.lines().last()),
        (0, Some("1 installed, 0 failed, 0 skipped"))
    );
    Ok(())
}

#[test]
fn elsewhere_than_on_a_node_it_says_so() -> Result<()> {
    let server = FileServer::start()?;
    let node = Node::new([])?;
    fs::remove_file(node.folder.path().join("pct"))?;
    let (code, said) = node.paste(SHELLS[0], &line(&server, &[(101, "a")])?)?;
    assert!(code == 1 && said.starts_with("failed: there is no pct here"), "{said}");
    Ok(())
}
