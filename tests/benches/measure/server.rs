//! A server of its own process: what it costs is told apart from the simulator and the one who asks.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser as _;
use muster::cli::Cli;
use proxmox_sim::ClusterHandle;
use reqwest::header::ACCEPT_ENCODING;
use serde_json::{Value, json};

/// First argument of a bench that is to be the server.
const AS_SERVER: &str = "as-muster";
/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// Ticks of a second in /proc, on every Linux that we build for.
const TICKS: f64 = 100.0;

/// A running `muster serve`. It ends with this value, and its folder goes.
pub(crate) struct Server {
    url: String,
    token: String,
    http: reqwest::Client,
    child: Child,
    _folder: tempfile::TempDir,
}

/// Becomes the command line of Muster when that was asked for; true when it was, and has ended.
pub(crate) async fn run_as_server() -> Result<bool> {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == AS_SERVER).is_none() {
        return Ok(false);
    }
    muster::cli::run(Cli::parse_from(std::iter::once("muster".to_owned()).chain(words))).await?;
    Ok(true)
}

impl Server {
    /// Starts one on SQLite, or on a fresh database of that PostgreSQL server.
    pub(crate) async fn start(postgres: Option<&str>) -> Result<Server> {
        let folder = tempfile::tempdir()?;
        let database = match postgres {
            Some(server) => muster_store::fresh::create(server).await,
            None => format!("sqlite:{}", folder.path().join("muster.db").display()),
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let command = |words: &[&str]| -> Result<Command> {
            let mut command = Command::new(std::env::current_exe()?);
            command
                .arg(AS_SERVER)
                .args(words)
                .env("MUSTER_DATABASE", &database)
                .env("MUSTER_KEY_FILE", folder.path().join("key"))
                .env("MUSTER_LISTEN", format!("127.0.0.1:{port}"))
                .env("MUSTER_AGENT_DIR", folder.path());
            Ok(command)
        };
        run(command(&["key", "init"])?)?;
        run(command(&["user", "add", "bench", "--role", "admin", "--no-password"])?)?;
        let token = run(command(&[
            "token", "create", "bench", "--user", "bench", "--role", "admin", "--quiet",
        ])?)?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let child = command(&["serve"])?.stdout(Stdio::null()).stderr(log).spawn()?;
        let server = Server {
            url: format!("http://127.0.0.1:{port}"),
            token,
            http: client()?,
            child,
            _folder: folder,
        };
        let ready = async || {
            let asked = server.http.get(format!("{}/healthz", server.url)).send().await;
            Ok(asked.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        };
        until("the server", ready).await?;
        Ok(server)
    }

    /// Reads; the answer as it comes over the wire, compressed.
    pub(crate) async fn fetch(&self, path: &str) -> Result<Vec<u8>> {
        let asked = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let answer = asked.header(ACCEPT_ENCODING, "gzip").send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// Reads JSON.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let asked = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        Ok(asked.send().await?.error_for_status()?.json().await?)
    }

    /// Opens a stream of events.
    pub(crate) async fn events(&self) -> Result<reqwest::Response> {
        let asked = self
            .http
            .get(format!("{}/api/v1/events", self.url))
            .bearer_auth(&self.token);
        Ok(asked.send().await?.error_for_status()?)
    }

    /// Adds a cluster.
    pub(crate) async fn add(&self, cluster: &ClusterHandle) -> Result<String> {
        let new = json!({
            "name": cluster.title,
            "endpoints": cluster.endpoints,
            "token_id": cluster.token_id,
            "token_secret": cluster.token_secret,
            "tls": { "mode": "pinned", "fingerprint": cluster.fingerprint },
        });
        let asked = self
            .http
            .post(format!("{}/api/v1/proxmox/clusters", self.url))
            .bearer_auth(&self.token);
        let answer = asked.json(&new).send().await?.error_for_status()?;
        let added: Value = answer.json().await?;
        Ok(added["id"].as_str().context("an id")?.to_owned())
    }

    /// Waits until a cluster was discovered, and answers the newest line of its log.
    pub(crate) async fn discovered(&self, id: &str) -> Result<Value> {
        let path = format!("/api/v1/proxmox/clusters/{id}/discoveries");
        until("the first discovery", async || {
            Ok(self.get(&path).await?["items"]
                .as_array()
                .and_then(|items| items.first().cloned()))
        })
        .await
    }

    /// Seconds of CPU that it has used so far.
    pub(crate) fn cpu(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold anything; user and system time are the 12th and 13th after it.
        let after = stat.rsplit_once(") ").context("a name")?.1;
        let ticks = after.split(' ').skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<Result<f64, _>>()? / TICKS)
    }

    /// Resident memory in MiB.
    pub(crate) fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("status"))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .context("VmRSS")?;
        let kib: f64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client() -> Result<reqwest::Client> {
    // Another server's client of this process may have done so before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // What comes compressed is not unpacked: that would be the time of the one who asks.
    Ok(reqwest::Client::builder().no_gzip().build()?)
}

fn run(mut command: Command) -> Result<String> {
    let ran = command.output()?;
    ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Ok(String::from_utf8(ran.stdout)?.trim().to_owned())
}

/// Waits until `check` answers something.
pub(crate) async fn until<T>(what: &str, check: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(found) = check().await? {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("{what} did not come within {} s", PATIENCE.as_secs())
}
