//! Guests with the real agent in them.

use anyhow::{Context as _, Result, ensure};
use proxmox_sim::{GuestSpec, Os, Scenario};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Client, Lab, simulate, wait_for};

/// The cluster and the node of these guests.
const CLUSTER: &str = "lab";
const NODE: &str = "pve1";

/// A node with Debian containers: 100, 101 …
pub(crate) fn debians(count: u32) -> Result<Lab> {
    let guests = (100..100 + count).map(|vmid| lxc(vmid, Os::Debian)).collect();
    simulate(Scenario::one_node(guests), false)
}

/// A container on the node that [`install`] works on.
pub(crate) fn lxc(vmid: u32, os: Os) -> GuestSpec {
    GuestSpec::lxc(vmid, &name(vmid), NODE, os)
}

fn name(vmid: u32) -> String {
    format!("guest-{vmid}")
}

/// A container on that node.
#[derive(Clone, Copy)]
pub(crate) struct Guest<'a> {
    lab: &'a Lab,
    pub(crate) vmid: u32,
}

impl<'a> Guest<'a> {
    /// The container with that number.
    pub(crate) fn of(lab: &'a Lab, vmid: u32) -> Guest<'a> {
        Guest { lab, vmid }
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        name(self.vmid)
    }

    /// Runs a line in its root shell. Answers its exit code and what it printed.
    pub(crate) fn run(&self, line: &str) -> Result<(i64, String)> {
        self.lab.in_guest(CLUSTER, self.vmid, line)
    }

    /// Runs a line that works, and answers what it printed.
    pub(crate) fn sh(&self, line: &str) -> Result<String> {
        let (exit, said) = self.run(line)?;
        ensure!(exit == 0, "{line}: exit code {exit}: {said}");
        Ok(said.trim_end().to_owned())
    }

    /// Its id in the database.
    pub(crate) async fn id(&self, client: &Client) -> Result<String> {
        Ok(self.row(client).await?["id"].as_str().context("an id")?.to_owned())
    }

    /// What the server shows of it.
    pub(crate) async fn row(&self, client: &Client) -> Result<Value> {
        let page = client.get("/api/v1/guests?limit=100").await?;
        let mut guests = page["items"].as_array().context("guests")?.iter();
        let found = guests.find(|guest| guest["vmid"] == self.vmid);
        found
            .cloned()
            .with_context(|| format!("there is no guest {}", self.vmid))
    }

    /// Waits until the server shows the agent in that state, and answers the guest.
    pub(crate) async fn agent_is(&self, client: &Client, state: &str) -> Result<Value> {
        let what = format!("the agent of {} as {state}", self.vmid);
        wait_for(&what, async || {
            let row = self.row(client).await?;
            Ok(Some(row).filter(|row| row["agent"]["state"] == state))
        })
        .await
    }

    /// Sends the agent a signal. When it dies of it, its service starts it again in a few seconds.
    pub(crate) fn signal_agent(&self, signal: &str) -> Result<()> {
        let main = "systemctl show muster-agent | sed -n s/^MainPID=//p";
        self.sh(&format!("kill -{signal} $({main})")).map(drop)
    }

    /// From now on each scan is noted, and waits until the gate is open; it fails while there is a file `/root/broken`.
    pub(crate) fn close_gate(&self) -> Result<()> {
        let script = r#"#!/bin/sh
case "$*" in *update) echo scan >>/root/scans; until [ -e /root/open ]; do sleep 0.1; done ;; esac
[ ! -e /root/broken ] || exit 100
exec /usr/bin/apt-get "$@"
"#;
        let gate = "/usr/local/sbin/apt-get";
        self.sh(&format!(
            "rm -f /root/open; cat >{gate} <<'END'\n{script}END\nchmod 755 {gate}"
        ))
        .map(drop)
    }

    /// Lets every scan through, those that wait first.
    pub(crate) fn open_gate(&self) -> Result<()> {
        self.sh("touch /root/open").map(drop)
    }

    /// How many scans were begun since the gate was made.
    pub(crate) fn scans(&self) -> Result<usize> {
        Ok(self.sh("cat /root/scans 2>/dev/null || :")?.lines().count())
    }

    /// Waits until so many scans have begun.
    pub(crate) async fn has_begun(&self, scans: usize) -> Result<()> {
        let begun = wait_for("a scan in the guest", async || {
            Ok((self.scans()? >= scans).then_some(()))
        });
        begun.await
    }
}

/// Installs the agent in these guests by the line for their node, and answers when all are online.
pub(crate) async fn install(client: &Client, lab: &Lab, guests: &[Guest<'_>]) -> Result<()> {
    let asked = ask_for_lines(client, guests, false).await?;
    let line = asked["by_hand"]["nodes"][0]["line"].as_str().context("a line")?;
    let (exit, said) = lab.on_node(CLUSTER, NODE, line)?;
    ensure!(exit == 0, "{said}");
    let job = client.ended(&asked["job"]).await?;
    ensure!(job["state"] == "succeeded", "{job}");
    Ok(())
}

/// Asks for lines that install agents.
pub(crate) async fn ask_for_lines(client: &Client, guests: &[Guest<'_>], again: bool) -> Result<Value> {
    let mut ids = Vec::new();
    for guest in guests {
        ids.push(guest.id(client).await?);
    }
    let body = json!({ "guests": ids, "reinstall": again });
    let asked = client.post("/api/v1/guests/bulk-install", &body).await?;
    asked.expect(StatusCode::ACCEPTED)
}

/// Asks for a scan of these guests, and answers the job.
pub(crate) async fn scan(client: &Client, guests: &[Guest<'_>]) -> Result<Value> {
    let mut ids = Vec::new();
    for guest in guests {
        ids.push(guest.id(client).await?);
    }
    let asked = client
        .post("/api/v1/guests/bulk-scan", &json!({ "guests": ids }))
        .await?;
    Ok(asked.expect(StatusCode::ACCEPTED)?["job"].clone())
}
