//! `proxmox-sim`: simulated Proxmox VE clusters on loopback addresses.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use proxmox_sim::ctl::{self, Request};
use proxmox_sim::{Options, Scenario, Sim};
use serde_json::Value;

/// Simulates Proxmox VE clusters over real TLS, for tests and demos.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run clusters until interrupted.
    ///
    /// Every node listens on a loopback address of its own, all on the same port: the first node of the first cluster
    /// on 127.70.0.10, the second on 127.70.0.11, the first node of the second cluster on 127.71.0.10. When they
    /// answer, DIR/clusters.json has their addresses, fingerprints and tokens.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Serve),
    /// Change a running simulator, or use what is in it.
    #[command(after_help = CTL_EXAMPLES)]
    Ctl {
        /// The folder given to serve.
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        #[command(subcommand)]
        request: Request,
    },
}

const SERVE_EXAMPLES: &str = "\
Examples:
  proxmox-sim serve --state /tmp/sim
  proxmox-sim serve --state /tmp/fleet --scenario fleet --clusters 4 --guests 100

Ask a node:
  curl --cacert /tmp/sim/pki/homelab-1/pve-root-ca.pem -H 'Authorization: PVEAPIToken=ID=SECRET' \\
    https://127.70.0.10:18006/api2/json/nodes";

const CTL_EXAMPLES: &str = "\
Examples:
  proxmox-sim ctl --state /tmp/sim list
  proxmox-sim ctl --state /tmp/sim guest exec --cluster homelab-1 --vmid 100 -- apt list --upgradable
  proxmox-sim ctl --state /tmp/sim node shell --cluster homelab-1 --node pve1 -- 'pct list; pct exec 100 -- hostname'
  proxmox-sim ctl --state /tmp/sim package publish --cluster homelab-1 --all --name openssl --version 9.9 --security
  proxmox-sim ctl --state /tmp/sim node stop --cluster homelab-1 --node pve2
  proxmox-sim ctl --state /tmp/sim fault set --cluster homelab-1 --name slow --arg 5000
  proxmox-sim ctl --state /tmp/sim cert renew --cluster homelab-1 --node pve1";

#[derive(Args)]
struct Serve {
    /// What there is at the beginning.
    #[arg(long, value_enum, default_value = "homelab")]
    scenario: Named,
    /// Decides everything that is made up; the same seed makes the same clusters and tokens.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keeps certificates, guests' files and the control socket; made if absent.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The port of every node; 0 takes a free one.
    #[arg(long, default_value_t = 18006)]
    port: u16,
    /// Add a call to execute in containers, which no Proxmox VE has.
    #[arg(long)]
    lxc_exec: bool,
    /// Clusters of the fleet.
    #[arg(long, default_value_t = 40)]
    clusters: usize,
    /// Nodes in each cluster of the fleet.
    #[arg(long, default_value_t = 4)]
    nodes: usize,
    /// Guests in each cluster of the fleet.
    #[arg(long, default_value_t = 512)]
    guests: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Named {
    /// Three small clusters with every kind of trouble; commands run in their guests.
    Homelab,
    /// Many clusters for measurements; nothing runs behind their guests.
    Fleet,
}

fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match Cli::parse().command {
        Command::Serve(serve) => run(serve),
        Command::Ctl { state, request } => control(&state, &request),
    }
}

/// Prints the answer; the exit code of a command becomes that of this program.
fn control(state: &Path, request: &Request) -> Result<()> {
    let answer = ctl::send(state, request)?;
    match answer.get("exit").and_then(Value::as_i64) {
        Some(code) => std::process::exit(i32::try_from(code).unwrap_or(1)),
        None if answer.is_null() => {}
        None => println!("{answer:#}"),
    }
    Ok(())
}

fn run(serve: Serve) -> Result<()> {
    let Serve {
        seed,
        port,
        lxc_exec,
        clusters,
        nodes,
        guests,
        ..
    } = serve;
    let scenario = match serve.scenario {
        Named::Homelab => Scenario::Homelab,
        Named::Fleet => Scenario::Fleet {
            clusters,
            nodes,
            guests,
        },
    };
    if let Err(error) = proxmox_sim::check_guests() {
        eprintln!("warning: commands cannot run in the guests: {error:#}");
    }
    let sim = Sim::start(Options {
        scenario,
        state_dir: Some(serve.state),
        port,
        seed,
        lxc_exec,
        ..Options::default()
    })?;
    println!("sim ready: {}", sim.state_dir().join("clusters.json").display());
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(until_interrupted())
}

async fn until_interrupted() -> Result<()> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    Ok(())
}
