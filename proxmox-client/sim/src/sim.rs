//! The simulator as a whole: starts everything and stops it again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::ctl::{self, Control, Request, Words};
use crate::guests::{Guests, Spawner};
use crate::lab::{self, Lab};
use crate::nodes::Nodes;
use crate::qga::GuestAgents;
use crate::scenario::{self, ClusterSpec, Scenario};
use crate::site::{Around, Site, Timing};
use crate::terminals::Terminals;
use crate::wire::{Door, Pki, bind_all};
use crate::world::Event;

/// How often the clusters are looked at for what is due.
const TICK: Duration = Duration::from_millis(100);

/// How a simulator is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// What there is at the beginning.
    pub scenario: Scenario,
    /// Where keys, guests' files and the control socket are kept; a temporary folder if `None`.
    pub state_dir: Option<PathBuf>,
    /// The port on which every node listens, each on its own loopback address; 0 takes a free one.
    pub port: u16,
    /// Decides everything that is made up.
    pub seed: u64,
    /// Whether the clusters have a call to execute in a container, which no Proxmox VE has.
    pub lxc_exec: bool,
    /// Where time comes from.
    pub clock: Clock,
    /// How long deliberate delays take.
    pub timing: Timing,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            scenario: Scenario::Homelab,
            state_dir: None,
            port: 0,
            seed: 1,
            lxc_exec: false,
            clock: Clock::default(),
            timing: Timing::default(),
        }
    }
}

/// What somebody needs to know to use a simulated cluster; one entry of `clusters.json`.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterHandle {
    /// What Proxmox VE calls it.
    pub name: String,
    /// What its owner calls it.
    pub title: String,
    /// `https://address:port` of each node.
    pub endpoints: Vec<String>,
    /// SHA-256 of the first node's certificate at the start, `AA:BB:…`.
    pub fingerprint: String,
    /// The certificate of its authority.
    #[serde(skip)]
    pub ca_pem: String,
    /// The file with the certificate of its authority.
    pub ca_file: PathBuf,
    /// The token that may look and act.
    pub token_id: String,
    /// Its secret.
    pub token_secret: String,
    /// The token that may only look.
    pub audit_token_id: String,
    /// Its secret.
    pub audit_token_secret: String,
    /// The user of both tokens, who may also log in with a password and then act.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Whether the demo adds it by itself.
    pub demo_adds: bool,
    /// The names of its nodes, in the order of the endpoints.
    pub nodes: Vec<String>,
}

/// A running simulator. Dropping it stops everything, also the processes in its guests.
pub struct Sim {
    clusters: Vec<ClusterHandle>,
    control: Option<Arc<Control>>,
    lab: Arc<Lab>,
    state_dir: PathBuf,
    stop: CancellationToken,
    runtime: Option<Runtime>,
    _temporary: Option<TempDir>,
}

impl Sim {
    /// Starts a simulator; when this returns, its nodes answer.
    ///
    /// Fails if the state folder cannot be written or a port is taken.
    pub fn start(options: Options) -> Result<Sim> {
        let (state_dir, temporary) = state_dir(options.state_dir.as_deref())?;
        let specs = options.scenario.clusters(options.seed);
        let addresses = addresses(&specs)?;
        let (port, listeners) = bind_all(&addresses, options.port)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("sim")
            .enable_all()
            .build()?;
        let spawner = Spawner::start()?;
        let guests = Arc::new(Guests::new(state_dir.join("guests"), spawner.clone()));
        let (events, happened) = mpsc::unbounded_channel();
        let around = Around {
            events,
            terminals: Arc::new(Terminals::new(Arc::clone(&guests))),
            agents: Arc::new(GuestAgents::new(Arc::clone(&guests))),
        };
        let mut sites = Vec::new();
        let mut clusters = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let (site, handle) = put_on_network(index, spec, port, &state_dir, &options, &around)?;
            sites.push(Arc::new(site));
            clusters.push(handle);
        }
        let stop = CancellationToken::new();
        let doors = sites
            .iter()
            .flat_map(|site| site.doors.iter().map(move |door| (door, site)));
        for ((door, site), listener) in doors.zip(listeners) {
            runtime.spawn(Arc::clone(door).serve(listener, Arc::clone(site), stop.clone()));
        }
        for (spec, guest) in specs
            .iter()
            .flat_map(|spec| spec.guests.iter().map(move |guest| (spec, guest)))
        {
            guests.describe(&lab::id(&spec.name, guest.vmid), &guest.updates)?;
        }
        let names = specs.iter().map(|spec| spec.name.clone()).collect();
        let lab = Arc::new(Lab { sites, guests, names });
        let nodes = Nodes::open(state_dir.join("nodes"), spawner, &lab)?;
        let control = Arc::new(Control {
            lab: Arc::clone(&lab),
            nodes,
            seed: options.seed,
        });
        ctl::serve(&state_dir, Arc::downgrade(&control))?;
        runtime.spawn(keep_going(Arc::clone(&lab), happened, stop.clone()));
        write_clusters(&state_dir, &clusters)?;
        let control = Some(control);
        Ok(Sim {
            clusters,
            control,
            lab,
            state_dir,
            stop,
            runtime: Some(runtime),
            _temporary: temporary,
        })
    }

    /// The simulated clusters.
    pub fn clusters(&self) -> &[ClusterHandle] {
        &self.clusters
    }

    /// The folder with keys, guests' files and `clusters.json`.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Calls that Proxmox VE has and for which the simulator had no answer, as `METHOD /path`.
    pub fn not_modelled(&self) -> Vec<String> {
        self.lab.sites.iter().flat_map(|site| site.not_modelled()).collect()
    }

    /// The requests that a cluster's nodes have received since this was last asked: `GET /api2/json/version` and how often.
    pub fn take_calls(&self, cluster: &str) -> Result<BTreeMap<String, u64>> {
        Ok(self.lab.site(cluster)?.take_calls())
    }

    /// Does what the words of a control request say, as `proxmox-sim ctl` does: `guest stop --cluster lab --vmid 100`.
    ///
    /// A command's answer has `exit`, `stdout` and `stderr`.
    pub fn ctl(&self, words: &str) -> Result<Value> {
        self.perform(Words::try_parse_from(ctl::split(words)?)?.request)
    }

    /// Does what a control request says.
    pub fn perform(&self, request: Request) -> Result<Value> {
        let control = self.control.as_ref().context("the simulator is stopping")?;
        control.perform(request, None)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop.cancel();
        self.control = None;
        ctl::stop(&self.state_dir);
        self.lab.guests.stop_all();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn state_dir(wanted: Option<&Path>) -> Result<(PathBuf, Option<TempDir>)> {
    match wanted {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            Ok((folder.canonicalize()?, None))
        }
        None => {
            let temporary = TempDir::with_prefix("proxmox-sim-").context("cannot make a temporary folder")?;
            Ok((temporary.path().canonicalize()?, Some(temporary)))
        }
    }
}

fn addresses(specs: &[ClusterSpec]) -> Result<Vec<std::net::Ipv4Addr>> {
    ensure!(
        specs.len() <= 180,
        "at most 180 clusters have addresses between 127.70.0.0 and 127.250.0.0"
    );
    ensure!(
        specs.iter().all(|spec| spec.nodes.len() <= 240),
        "at most 240 nodes of a cluster have addresses"
    );
    let of_cluster = |(index, spec): (usize, &ClusterSpec)| {
        (0..spec.nodes.len())
            .map(move |node| scenario::address_of(index, node))
            .collect::<Vec<_>>()
    };
    Ok(specs.iter().enumerate().flat_map(of_cluster).collect())
}

fn put_on_network(
    index: usize,
    spec: &ClusterSpec,
    port: u16,
    state_dir: &Path,
    options: &Options,
    around: &Around,
) -> Result<(Site, ClusterHandle)> {
    let mut cluster = scenario::build(spec, index, options.seed, options.clock.now());
    cluster.lxc_exec = options.lxc_exec;
    cluster.slow_mount = u64::try_from(options.timing.slow_mount.as_millis()).unwrap_or(u64::MAX);
    let pki = Pki::open(&state_dir.join("pki").join(&spec.name), &spec.name)?;
    let mut doors = Vec::new();
    for (at, node) in cluster.nodes.iter_mut().enumerate() {
        let certificate = pki.certificate(&node.name, &node.ip)?;
        node.fingerprint = certificate.fingerprint;
        let address = SocketAddr::from((scenario::address_of(index, at), port));
        doors.push(Arc::new(Door::new(&node.name, address, certificate.tls)));
    }
    let secret = |id: &str| cluster.access.secret_of(id).unwrap_or_default().to_owned();
    let handle = ClusterHandle {
        name: spec.name.clone(),
        title: spec.title.clone(),
        endpoints: doors.iter().map(|door| format!("https://{}", door.address)).collect(),
        fingerprint: cluster
            .nodes
            .first()
            .map(|node| node.fingerprint.clone())
            .unwrap_or_default(),
        ca_pem: pki.ca_pem().to_owned(),
        ca_file: pki.ca_file(),
        token_id: scenario::MAIN_TOKEN.to_owned(),
        token_secret: secret(scenario::MAIN_TOKEN),
        audit_token_id: scenario::AUDIT_TOKEN.to_owned(),
        audit_token_secret: secret(scenario::AUDIT_TOKEN),
        user: scenario::USER.to_owned(),
        password: cluster
            .access
            .password_of(scenario::USER)
            .unwrap_or_default()
            .to_owned(),
        demo_adds: spec.demo_adds,
        nodes: spec.nodes.clone(),
    };
    let time = (options.clock.clone(), options.timing.clone());
    Ok((Site::new(index, cluster, (pki, doors), time, around.clone()), handle))
}

/// Written whole under another name first, so that whoever waits for the file never reads half of it.
fn write_clusters(state_dir: &Path, clusters: &[ClusterHandle]) -> Result<()> {
    let (file, new) = (state_dir.join("clusters.json"), state_dir.join("clusters.json.new"));
    std::fs::write(&new, serde_json::to_string_pretty(clusters)?)?;
    std::fs::rename(new, &file).with_context(|| format!("cannot write {}", file.display()))
}

/// Lets the clusters go on while nobody asks them anything.
async fn keep_going(lab: Arc<Lab>, mut happened: mpsc::UnboundedReceiver<(usize, Event)>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = ticks.tick() => lab.sites.iter().for_each(|site| site.with(|_, _| ())),
            Some((site, event)) = happened.recv() => lab.follow(site, event),
            () = stop.cancelled() => return,
        }
    }
}
