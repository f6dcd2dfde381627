//! Changing the simulated world from outside, as its owner would: by command line, by socket, or from a test.

mod perform;
mod socket;
mod words;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::faults::FaultKind;

use crate::scenario::Flaw;
pub(crate) use perform::Control;
pub use socket::send;
pub(crate) use socket::{serve, stop};
pub(crate) use words::split;

/// A request, as words: `guest stop --cluster homelab-1 --vmid 101`.
#[derive(Debug, Parser)]
#[command(name = "ctl", no_binary_name = true)]
pub(crate) struct Words {
    #[command(subcommand)]
    pub(crate) request: Request,
}

/// What can be asked of a running simulator.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum Request {
    /// Show all clusters with their nodes and guests.
    List,
    /// Create, start, stop, move and delete guests, or run a command in one.
    #[command(subcommand)]
    Guest(GuestRequest),
    /// Offer package updates to Debian, Ubuntu, Arch and Alpine guests.
    #[command(subcommand)]
    Package(PackageRequest),
    /// Switch nodes off and on, or use their root shell.
    #[command(subcommand)]
    Node(NodeRequest),
    /// Upgrade or rename a cluster.
    #[command(subcommand)]
    Cluster(ClusterRequest),
    /// Fill storages.
    #[command(subcommand)]
    Storage(StorageRequest),
    /// Renew certificates of nodes.
    #[command(subcommand)]
    Cert(CertRequest),
    /// Make nodes answer wrongly, late or not at all.
    #[command(subcommand)]
    Fault(FaultRequest),
    /// Make API tokens with chosen rights.
    #[command(subcommand)]
    Token(TokenRequest),
    /// Make users that log in with a password.
    #[command(subcommand)]
    User(UserRequest),
}

/// One guest.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct OneGuest {
    /// Name of the cluster, such as homelab-1.
    #[arg(long)]
    pub cluster: String,
    /// Number of the guest.
    #[arg(long)]
    pub vmid: u32,
}

/// One node.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct OneNode {
    /// Name of the cluster, such as homelab-1.
    #[arg(long)]
    pub cluster: String,
    /// Name of the node, such as pve1.
    #[arg(long)]
    pub node: String,
}

/// What can be done with guests. Starting and stopping happen at once; the API does the same with a task.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum GuestRequest {
    /// Create a guest. It runs, unless --stopped is given.
    Create(NewGuest),
    /// Switch a guest on.
    Start(OneGuest),
    /// Switch a guest off; all its processes end.
    Stop(OneGuest),
    /// Switch a guest off and on again; pending configuration comes into force.
    Reboot(OneGuest),
    /// Let a virtual machine stand still.
    Pause(OneGuest),
    /// Let a paused virtual machine go on.
    Resume(OneGuest),
    /// Stop the QEMU guest agent in a virtual machine.
    StopAgent(OneGuest),
    /// Start it again.
    StartAgent(OneGuest),
    /// Change the name or the tags of a guest.
    Set {
        #[command(flatten)]
        #[doc = "The guest."]
        guest: OneGuest,
        /// The new name.
        #[arg(long)]
        name: Option<String>,
        /// The new tags, separated by semicolons.
        #[arg(long)]
        tags: Option<String>,
    },
    /// Move a guest to another node of its cluster.
    Migrate {
        #[command(flatten)]
        #[doc = "The guest."]
        guest: OneGuest,
        /// The node to move to.
        #[arg(long)]
        to: String,
    },
    /// Delete a guest with its files.
    Delete(OneGuest),
    /// Let an operation hold a guest.
    Lock {
        #[command(flatten)]
        #[doc = "The guest."]
        guest: OneGuest,
        /// The operation: backup, snapshot, migrate …
        #[arg(long, default_value = "backup")]
        operation: String,
    },
    /// Let go of a guest.
    Unlock(OneGuest),
    /// Let the next operations of a kind go wrong.
    Fail {
        #[command(flatten)]
        #[doc = "The guest."]
        guest: OneGuest,
        /// start, snapshot, rollback (half-way), delete-snapshot, backup or console (the connection breaks off).
        #[arg(long)]
        operation: String,
        /// How many of them.
        #[arg(long, default_value_t = 1)]
        times: u32,
        /// For console: after how many messages with keys.
        #[arg(long, default_value_t = 0)]
        after: u32,
    },
    /// Run a command in a running guest; input, output and exit code are passed on.
    Exec {
        #[command(flatten)]
        #[doc = "The guest."]
        guest: OneGuest,
        /// The command with its arguments, after --.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

/// A guest to be created.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct NewGuest {
    /// Where.
    #[command(flatten)]
    pub node: OneNode,
    /// Its number, from 100.
    #[arg(long)]
    pub vmid: u32,
    /// Its name.
    #[arg(long)]
    pub name: String,
    /// The system inside.
    #[arg(long, value_enum, default_value = "debian")]
    pub os: OsName,
    /// Container or virtual machine.
    #[arg(long, value_enum, default_value = "lxc")]
    pub kind: KindName,
    /// Leave it off.
    #[arg(long)]
    pub stopped: bool,
}

/// Systems by name.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum OsName {
    Debian,
    Ubuntu,
    Alpine,
    Fedora,
    Arch,
    Opensuse,
}

/// Kinds of guests by name.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
pub enum KindName {
    /// A container.
    Lxc,
    /// A virtual machine.
    Qemu,
}

/// What can be done with packages.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum PackageRequest {
    /// Offer a new version of an installed package; guests see it after their next `apt-get update`.
    Publish {
        /// Name of the cluster.
        #[arg(long)]
        cluster: String,
        /// Number of the guest.
        #[arg(long, required_unless_present = "all", conflicts_with = "all")]
        vmid: Option<u32>,
        /// All guests of the cluster that have the package.
        #[arg(long)]
        all: bool,
        /// The package, such as openssl.
        #[arg(long)]
        name: String,
        /// The new version, such as 3.0.17-1~deb12u2.
        #[arg(long)]
        version: String,
        /// Offer it in the security archive.
        #[arg(long)]
        security: bool,
        /// Something that is wrong with it.
        #[arg(long, value_enum)]
        flaw: Option<Flaw>,
    },
}

/// What can be done with nodes.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum NodeRequest {
    /// Switch a node off: it stops answering, its guests die; the cluster shows its last report for five minutes.
    Stop(OneNode),
    /// Switch a node on; its guests start with it.
    Start(OneNode),
    /// Take a node that is off out of its cluster, as `pvecm delnode` does. Its guests stay where they are listed.
    Remove(OneNode),
    /// Run a line in the node's root shell, where pct reaches the node's containers.
    ///
    /// Input, output and exit code are passed on. The line runs on this machine, as whoever runs the simulator.
    Shell {
        #[command(flatten)]
        #[doc = "The node."]
        node: OneNode,
        /// The line, after --.
        #[arg(last = true, required = true)]
        line: Vec<String>,
    },
}

/// What can be done with a whole cluster.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum ClusterRequest {
    /// Upgrade all nodes to Proxmox VE 9.
    Upgrade {
        /// Name of the cluster.
        #[arg(long)]
        cluster: String,
    },
    /// Let it call itself otherwise. Requests go on to name it as before.
    Rename {
        /// Name of the cluster.
        #[arg(long)]
        cluster: String,
        /// The new name.
        #[arg(long)]
        to: String,
    },
}

/// What can be done with storages.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum StorageRequest {
    /// Say how full a storage is.
    Fill {
        /// Name of the cluster.
        #[arg(long)]
        cluster: String,
        /// Name of the storage, such as local-lvm.
        #[arg(long)]
        name: String,
        /// Share in use, in percent.
        #[arg(long)]
        percent: u64,
    },
}

/// What can be done with certificates.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum CertRequest {
    /// Give a node a new key and certificate, as Proxmox VE does every two years. Prints the new fingerprint.
    Renew(OneNode),
}

/// What can be done with faults.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum FaultRequest {
    /// Switch a fault on, in addition to others.
    Set {
        #[command(flatten)]
        #[doc = "Where."]
        at: FaultPlace,
        /// Which.
        #[arg(long, value_enum)]
        name: FaultKind,
        /// The number for those that take one: milliseconds, bytes or seconds.
        #[arg(long, allow_negative_numbers = true)]
        arg: Option<i64>,
    },
    /// Switch all faults of the node, or of the whole cluster, off.
    Clear(FaultPlace),
}

/// Where a fault is.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct FaultPlace {
    /// Name of the cluster.
    #[arg(long)]
    pub cluster: String,
    /// Only this node.
    #[arg(long)]
    pub node: Option<String>,
}

/// What can be done with users.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum UserRequest {
    /// Make a user with privileges on one path, or change it.
    Create {
        /// Name of the cluster.
        #[arg(long)]
        cluster: String,
        /// Its name with the realm, such as ops@pve.
        #[arg(long)]
        id: String,
        /// What it logs in with.
        #[arg(long)]
        password: String,
        /// Privileges, separated by commas, such as VM.Audit,VM.Console.
        #[arg(long, value_delimiter = ',')]
        privileges: Vec<String>,
        /// Path from which they hold.
        #[arg(long, default_value = "/")]
        path: String,
    },
}

/// What can be done with tokens.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum TokenRequest {
    /// Make a token with its own user, and give both the same privileges on one path. Prints the secret.
    Create {
        /// Name of the cluster.
        #[arg(long)]
        cluster: String,
        /// Full id, such as ops@pve!few.
        #[arg(long)]
        id: String,
        /// Privileges, separated by commas, such as VM.Audit,Sys.Audit.
        #[arg(long, value_delimiter = ',')]
        privileges: Vec<String>,
        /// Path from which they hold.
        #[arg(long, default_value = "/")]
        path: String,
        /// Make one that does not work any more.
        #[arg(long)]
        expired: bool,
    },
    /// Give a token exactly these privileges on one path and below, and none elsewhere.
    Rights {
        /// Name of the cluster.
        #[arg(long)]
        cluster: String,
        /// Full id.
        #[arg(long)]
        id: String,
        /// Privileges, separated by commas.
        #[arg(long, value_delimiter = ',')]
        privileges: Vec<String>,
        /// Path from which they hold.
        #[arg(long, default_value = "/")]
        path: String,
    },
    /// Let a token end so many seconds from now.
    Expire {
        /// Name of the cluster.
        #[arg(long)]
        cluster: String,
        /// Full id.
        #[arg(long)]
        id: String,
        /// Seconds; without them it never ends.
        #[arg(long)]
        seconds: Option<u64>,
    },
    /// Take a token away. `create` makes one of that id with another secret.
    Revoke {
        /// Name of the cluster.
        #[arg(long)]
        cluster: String,
        /// Full id.
        #[arg(long)]
        id: String,
    },
}
