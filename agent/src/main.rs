//! The command line of the agent.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use muster_agent::connect::{Server, Trust};
use muster_agent::identity::ServerKey;
use muster_agent::state::DEFAULT_STATE_DIR;
use muster_agent::status::{Phase, Status};
use muster_agent::{Enrolment, Options, Shell, StateDir, enrol, log, run, scan_here};
use tokio::signal::unix::{SignalKind, signal};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The Muster agent. It runs in a guest, dials out to Muster and does what Muster signs: look at the host, read what could
/// be updated. It opens no port.
///
/// Usually the line that Muster shows installs, enrols and starts it. Then `muster-agent status` says how it is, and
/// `muster-agent scan` shows what Muster sees.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    /// Folder with the agent's key, its journal and its status.
    #[arg(long, global = true, env = "MUSTER_STATE_DIR", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Keep a link to Muster and do its commands; what the service runs.
    Run,
    /// Make a key and have Muster accept it with a one-time token.
    ///
    /// Doing it again with a new token gives the agent a new identity; with a used one, the identity it has is kept if
    /// Muster still accepts it.
    Enroll(Enroll),
    /// Print what could be updated in this guest, as Muster would see it (JSON).
    Scan,
    /// Print whether the agent is online. Exits with 0 when it is.
    Status,
}

#[derive(Args)]
struct Enroll {
    /// Where Muster is, e.g. https://muster.example.org:8443
    #[arg(long)]
    url: String,
    /// The one-time token from the line that Muster shows.
    #[arg(long, env = "MUSTER_TOKEN", hide_env_values = true)]
    token: String,
    /// Muster's public key, base64: the agent obeys this key only.
    #[arg(long)]
    server_key: String,
    /// Accept this TLS certificate alone: its SHA-256, hex.
    #[arg(long, conflicts_with = "ca_file")]
    certificate: Option<String>,
    /// Accept TLS certificates of these authorities alone: a PEM file.
    #[arg(long)]
    ca_file: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Nothing else sets a subscriber, so this cannot fail.
    let _ = tracing::subscriber::set_global_default(log::Lines);
    let cli = Cli::parse();
    match perform(cli).await {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(cli: Cli) -> Result<ExitCode, Failure> {
    let state = StateDir::open(cli.state_dir)?;
    match cli.verb {
        Verb::Run => keep_running(&state).await,
        Verb::Enroll(arguments) => enroll(&state, arguments).await,
        Verb::Scan => print_scan(&state).await,
        Verb::Status => print_status(&state),
    }
}

async fn keep_running(state: &StateDir) -> Result<ExitCode, Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    run(state, Arc::new(Shell), Options::default(), stop).await?;
    Ok(ExitCode::SUCCESS)
}

async fn enroll(state: &StateDir, arguments: Enroll) -> Result<ExitCode, Failure> {
    let trust = match (arguments.certificate, arguments.ca_file) {
        (Some(sha256), _) => Trust::Certificate(sha256),
        (None, Some(path)) => Trust::Authority(fs::read_to_string(path)?),
        (None, None) => Trust::WellKnown,
    };
    let server = Server::parse(&arguments.url, trust)?;
    let server_key = ServerKey::parse(&arguments.server_key)?;
    match enrol(state, &Shell, server, server_key, &arguments.token).await? {
        Enrolment::New(agent) => println!("enrolled as {agent}"),
        Enrolment::Kept(agent) => println!("already enrolled as {agent}"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn print_scan(state: &StateDir) -> Result<ExitCode, Failure> {
    let report = scan_here(&Shell, state, Options::default().scan_deadline).await;
    let report = report.map_err(|failure| match failure.output {
        Some(output) => format!("{}\n{output}", failure.detail),
        None => failure.detail,
    })?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(ExitCode::SUCCESS)
}

fn print_status(state: &StateDir) -> Result<ExitCode, Failure> {
    let status = Status::read(state)?.ok_or("the agent has not run yet")?;
    println!("{status}");
    Ok(if status.phase == Phase::Online {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
