//! Does what is asked.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{
    CertRequest, ClusterRequest, FaultRequest, GuestRequest, KindName, NewGuest, NodeRequest, OneGuest, OneNode,
    OsName, PackageRequest, Request, StorageRequest, TokenRequest, UserRequest,
};
use crate::faults::Fault;
use crate::guests::{NewVersion, Streams};
use crate::lab::{Lab, OUTPUT_LIMIT, id};
use crate::nodes::Nodes;
use crate::outcome::{Outcome, exit_code};
use crate::scenario::{GuestSpec, add_guest};
use crate::world::{AclEntry, Becomes, Cluster, Guest, Kind, Mishap, Os, Release, Token};

/// Everything that requests work on.
pub(crate) struct Control {
    pub(crate) lab: Arc<Lab>,
    pub(crate) nodes: Nodes,
    pub(crate) seed: u64,
}

impl Control {
    /// Does what is asked and says what came of it.
    ///
    /// A command's `exit` is in the answer; so are `stdout` and `stderr`, unless `streams` take them.
    pub(crate) fn perform(&self, request: Request, streams: Option<Streams>) -> Result<Value> {
        match request {
            Request::List => Ok(self.list()),
            Request::Guest(request) => self.guest(request, streams),
            Request::Package(request) => self.package(request),
            Request::Node(request) => self.node(request, streams),
            Request::Cert(CertRequest::Renew(at)) => {
                Ok(json!({ "fingerprint": self.lab.site(&at.cluster)?.renew_certificate(&at.node)? }))
            }
            Request::Fault(FaultRequest::Set { at, name, arg }) => {
                let fault = Fault::new(name, arg);
                self.lab.site(&at.cluster)?.set_fault(at.node.as_deref(), fault)?;
                Ok(Value::Null)
            }
            Request::Fault(FaultRequest::Clear(at)) => {
                self.lab.site(&at.cluster)?.clear_faults(at.node.as_deref());
                Ok(Value::Null)
            }
            Request::Token(request) => self.token(request),
            Request::Cluster(request) => self.cluster(request),
            Request::Storage(StorageRequest::Fill { cluster, name, percent }) => self.fill(&cluster, &name, percent),
            Request::User(request) => self.user(request),
        }
    }

    fn list(&self) -> Value {
        let clusters = self.lab.names.iter().zip(&self.lab.sites).map(|(name, site)| {
            let (nodes, guests) = site.with(|cluster, _| (nodes_of(cluster), guests_of(cluster)));
            json!({ "name": name, "nodes": nodes, "guests": guests })
        });
        clusters.collect()
    }

    fn guest(&self, request: GuestRequest, streams: Option<Streams>) -> Result<Value> {
        match request {
            GuestRequest::Create(new) => self.create(new)?,
            GuestRequest::Start(guest) => self.switch(&guest, &[Becomes::Running])?,
            GuestRequest::Stop(guest) => self.switch(&guest, &[Becomes::Stopped])?,
            GuestRequest::Reboot(guest) => self.switch(&guest, &[Becomes::Stopped, Becomes::Running])?,
            GuestRequest::Pause(guest) => self.pause(&guest, true)?,
            GuestRequest::Resume(guest) => self.pause(&guest, false)?,
            GuestRequest::StopAgent(guest) => self.change(&guest, |guest| guest.agent_runs = false)?,
            GuestRequest::StartAgent(guest) => self.change(&guest, |guest| guest.agent_runs = true)?,
            GuestRequest::Set { guest, name, tags } => self.change(&guest, |guest| rename(guest, name, tags))?,
            GuestRequest::Migrate { guest, to } => self.migrate(&guest, &to)?,
            GuestRequest::Delete(guest) => self.delete(&guest)?,
            GuestRequest::Lock { guest, operation } => {
                self.change(&guest, |guest| guest.config.set("lock", json!(operation)))?;
            }
            GuestRequest::Unlock(guest) => self.change(&guest, |guest| drop(guest.config.active.remove("lock")))?,
            GuestRequest::Fail {
                guest,
                operation,
                times,
                after,
            } => {
                let names = Mishap::ALL.map(Mishap::name).join(", ");
                let mishap = Mishap::parse(&operation);
                let mishap =
                    mishap.with_context(|| format!("nothing called '{operation}' can fail; there are: {names}"))?;
                ensure!(times > 0, "at least one operation has to fail");
                self.change(&guest, |guest| guest.mishaps.plan(mishap, times, after))?;
            }
            GuestRequest::Exec { guest, command } => {
                return run(streams, |streams| {
                    self.lab.exec(&guest.cluster, guest.vmid, &command, streams)
                });
            }
        }
        Ok(Value::Null)
    }

    fn create(&self, new: NewGuest) -> Result<()> {
        let (os, OneNode { cluster, node }) = (os_of(new.os), &new.node);
        let spec = match new.kind {
            KindName::Lxc => GuestSpec::lxc(new.vmid, &new.name, node, os),
            KindName::Qemu => GuestSpec::qemu(new.vmid, &new.name, node, os).guest_agent(),
        };
        let spec = if new.stopped { spec.stopped() } else { spec };
        self.lab.site(cluster)?.with(|cluster, now| {
            ensure!(
                (100..1_000_000_000).contains(&new.vmid),
                "guest numbers go from 100 to 999999999"
            );
            ensure!(cluster.node(node).is_some(), "there is no node '{node}'");
            ensure!(
                !cluster.guests.contains_key(&new.vmid),
                "there is a guest {} already",
                new.vmid
            );
            add_guest(cluster, &spec, self.seed, now);
            if spec_runs(cluster, new.vmid) {
                cluster.guest_becomes(new.vmid, Becomes::Running, now);
            }
            Ok(())
        })
    }

    /// Lets a guest go through states now, and its processes with it.
    fn switch(&self, guest: &OneGuest, states: &[Becomes]) -> Result<()> {
        let site = self.lab.site(&guest.cluster)?;
        site.with(|cluster, now| {
            ensure!(cluster.guests.contains_key(&guest.vmid), missing(guest));
            states
                .iter()
                .for_each(|becomes| cluster.guest_becomes(guest.vmid, *becomes, now));
            Ok(())
        })?;
        self.lab.settle(site.index, guest.vmid)
    }

    fn migrate(&self, guest: &OneGuest, to: &str) -> Result<()> {
        self.lab.site(&guest.cluster)?.with(|cluster, _| {
            ensure!(cluster.node(to).is_some(), "there is no node '{to}'");
            let guest = cluster.guests.get_mut(&guest.vmid).with_context(|| missing(guest))?;
            to.clone_into(&mut guest.node);
            Ok(())
        })
    }

    fn delete(&self, guest: &OneGuest) -> Result<()> {
        let gone = self
            .lab
            .site(&guest.cluster)?
            .with(|cluster, _| cluster.remove_guest(guest.vmid));
        gone.with_context(|| missing(guest))?;
        self.lab.guests.delete(&id(&guest.cluster, guest.vmid));
        Ok(())
    }

    fn pause(&self, guest: &OneGuest, paused: bool) -> Result<()> {
        self.lab.site(&guest.cluster)?.with(|cluster, _| {
            let guest = cluster.guests.get_mut(&guest.vmid).with_context(|| missing(guest))?;
            ensure!(
                guest.kind == Kind::Qemu && guest.is_running(),
                "only running virtual machines can be paused"
            );
            guest.paused = paused;
            Ok(())
        })
    }

    fn change(&self, at: &OneGuest, change: impl FnOnce(&mut Guest)) -> Result<()> {
        self.lab.site(&at.cluster)?.with(|cluster, _| {
            change(cluster.guests.get_mut(&at.vmid).with_context(|| missing(at))?);
            Ok(())
        })
    }

    fn package(&self, request: PackageRequest) -> Result<Value> {
        let PackageRequest::Publish {
            cluster,
            vmid,
            all: _,
            name,
            version,
            security,
            flaw,
        } = request;
        let new = NewVersion {
            name,
            version,
            security,
            flaw,
        };
        let wanted = |guest: &&Guest| vmid.is_none_or(|vmid| vmid == guest.vmid);
        let guests: Vec<(u32, Os)> = self.lab.site(&cluster)?.with(|cluster, _| {
            cluster
                .guests
                .values()
                .filter(wanted)
                .map(|guest| (guest.vmid, guest.os))
                .collect()
        });
        let mut offered = Vec::new();
        for (vmid, os) in guests {
            if self.lab.guests.publish(&id(&cluster, vmid), os, &new)? {
                offered.push(vmid);
            }
        }
        ensure!(
            !offered.is_empty(),
            "no such guest has {} installed as a package",
            new.name
        );
        Ok(json!({ "offered_to": offered }))
    }

    fn node(&self, request: NodeRequest, streams: Option<Streams>) -> Result<Value> {
        match request {
            NodeRequest::Stop(at) => self.lab.site(&at.cluster)?.set_online(&at.node, false)?,
            NodeRequest::Start(at) => self.lab.site(&at.cluster)?.set_online(&at.node, true)?,
            NodeRequest::Remove(at) => self.lab.site(&at.cluster)?.with(|cluster, _| {
                let node = cluster
                    .node(&at.node)
                    .with_context(|| format!("there is no node '{}'", at.node))?;
                ensure!(!node.online, "the node '{}' is on", at.node);
                cluster.nodes.retain(|node| node.name != at.node);
                Ok(())
            })?,
            NodeRequest::Shell { node: at, line } => {
                let exists = self
                    .lab
                    .site(&at.cluster)?
                    .with(|cluster, _| cluster.node(&at.node).map(|node| node.online));
                match exists {
                    None => bail!("there is no node '{}'", at.node),
                    Some(false) => bail!("the node '{}' is off", at.node),
                    Some(true) => {}
                }
                let line = line.join(" ");
                return run(streams, |streams| {
                    self.nodes.shell(&at.cluster, &at.node, &line, streams)
                });
            }
        }
        Ok(Value::Null)
    }

    fn user(&self, request: UserRequest) -> Result<Value> {
        let UserRequest::Create {
            cluster,
            id,
            password,
            privileges,
            path,
        } = request;
        let realm = id.split_once('@').map(|(_, realm)| realm);
        ensure!(
            realm == Some("pve"),
            "only users of the realm pve have their password here: name@pve"
        );
        let role = format!("role-{}", id.replace('@', "-"));
        self.lab.site(&cluster)?.with(|cluster, _| {
            let access = &mut cluster.access;
            access.add_user(&id, None);
            access.set_password(&id, &password);
            access.add_role(&role, privileges.iter().map(String::as_str));
            access.grant(AclEntry {
                path,
                who: id,
                role,
                propagate: true,
            });
        });
        Ok(Value::Null)
    }

    fn cluster(&self, request: ClusterRequest) -> Result<Value> {
        match request {
            ClusterRequest::Upgrade { cluster } => self
                .lab
                .site(&cluster)?
                .with(|cluster, _| cluster.release = Release::Pve9),
            ClusterRequest::Rename { cluster, to } => {
                self.lab.site(&cluster)?.with(|cluster, _| cluster.name = to);
            }
        }
        Ok(Value::Null)
    }

    fn fill(&self, cluster: &str, name: &str, percent: u64) -> Result<Value> {
        self.lab.site(cluster)?.with(|cluster, _| {
            let storage = cluster.storages.iter_mut().find(|storage| storage.name == name);
            storage
                .with_context(|| format!("there is no storage '{name}'"))?
                .percent = percent;
            Ok(Value::Null)
        })
    }

    fn token(&self, request: TokenRequest) -> Result<Value> {
        let unknown = |id: &str| format!("there is no token '{id}'");
        match request {
            TokenRequest::Create {
                cluster,
                id,
                privileges,
                path,
                expired,
            } => return self.new_token(&cluster, &id, &privileges, &path, expired),
            TokenRequest::Rights {
                cluster,
                id,
                privileges,
                path,
            } => self.lab.site(&cluster)?.with(|cluster, _| {
                ensure!(cluster.access.secret_of(&id).is_some(), unknown(&id));
                cluster.access.withdraw(&id);
                let role = role_of(&id);
                cluster.access.add_role(&role, privileges.iter().map(String::as_str));
                cluster.access.grant(entry(&path, &id, &role));
                Ok(())
            })?,
            TokenRequest::Expire { cluster, id, seconds } => self.lab.site(&cluster)?.with(|cluster, now| {
                let expires = seconds.map(|seconds| now + seconds * 1000);
                ensure!(cluster.access.set_expiry(&id, expires), unknown(&id));
                Ok(())
            })?,
            TokenRequest::Revoke { cluster, id } => self.lab.site(&cluster)?.with(|cluster, _| {
                ensure!(cluster.access.remove_token(&id), unknown(&id));
                Ok(())
            })?,
        }
        Ok(Value::Null)
    }

    fn new_token(&self, cluster: &str, id: &str, privileges: &[String], path: &str, expired: bool) -> Result<Value> {
        let (user, _) = id.split_once('!').context("a token id looks like user@realm!name")?;
        let role = role_of(id);
        let secret = self.lab.site(cluster)?.with(|cluster, now| {
            let secret = cluster.figures.uuid(now);
            let access = &mut cluster.access;
            access.add_user(user, None);
            access.add_role(&role, privileges.iter().map(String::as_str));
            for who in [user, id] {
                access.grant(entry(path, who, &role));
            }
            let expires = expired.then_some(now);
            access.add_token(
                id,
                Token {
                    secret: secret.clone(),
                    privsep: true,
                    expires,
                },
            );
            secret
        });
        Ok(json!({ "token_id": id, "token_secret": secret }))
    }
}

/// The role that a token made or changed here has.
fn role_of(token: &str) -> String {
    format!("role-{}", token.replace(['@', '!'], "-"))
}

fn entry(path: &str, who: &str, role: &str) -> AclEntry {
    AclEntry {
        path: path.to_owned(),
        who: who.to_owned(),
        role: role.to_owned(),
        propagate: true,
    }
}

/// Runs a command on the given streams, or keeps what it says.
fn run(streams: Option<Streams>, start: impl FnOnce(Streams) -> Result<std::process::Child>) -> Result<Value> {
    let Some(streams) = streams else {
        let kept = Streams {
            stdin: Stdio::null(),
            stdout: Stdio::piped(),
            stderr: Stdio::piped(),
        };
        let outcome = Outcome::of(start(kept)?, OUTPUT_LIMIT)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        return Ok(
            json!({ "exit": outcome.exit(), "stdout": text(outcome.stdout.bytes), "stderr": text(outcome.stderr.bytes) }),
        );
    };
    Ok(json!({ "exit": exit_code(start(streams)?.wait()?) }))
}

fn spec_runs(cluster: &Cluster, vmid: u32) -> bool {
    cluster.guests.get(&vmid).is_some_and(Guest::is_running)
}

fn rename(guest: &mut Guest, name: Option<String>, tags: Option<String>) {
    let key = match guest.kind {
        Kind::Lxc => "hostname",
        Kind::Qemu => "name",
    };
    for (key, value) in [(key, name), ("tags", tags)] {
        if let Some(value) = value {
            guest.config.set(key, json!(value));
        }
    }
}

fn missing(guest: &OneGuest) -> String {
    format!("there is no guest {} in the cluster '{}'", guest.vmid, guest.cluster)
}

fn nodes_of(cluster: &Cluster) -> Value {
    let nodes = cluster.nodes.iter();
    nodes
        .map(|n| json!({ "name": n.name, "address": n.ip, "online": n.online, "fingerprint": n.fingerprint }))
        .collect()
}

fn guests_of(cluster: &Cluster) -> Value {
    let guests = cluster.guests.values().map(|guest| {
        json!({
            "vmid": guest.vmid, "name": guest.name(), "node": guest.node, "kind": guest.kind.word(),
            "running": guest.is_running(), "os": guest.os.ostype(), "lock": guest.lock(),
        })
    });
    guests.collect()
}

fn os_of(name: OsName) -> Os {
    match name {
        OsName::Debian => Os::Debian,
        OsName::Ubuntu => Os::Ubuntu,
        OsName::Alpine => Os::Alpine,
        OsName::Fedora => Os::Fedora,
        OsName::Arch => Os::Arch,
        OsName::Opensuse => Os::OpenSuse,
    }
}
