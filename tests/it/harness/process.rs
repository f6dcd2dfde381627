//! A server as a process of its own, which can be killed at any moment and started again in the same place.

use std::net::{SocketAddr, TcpListener};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, ensure};
use muster::app::App;
use muster::clock::SystemClock;
use muster_domain::access::Role;

use super::{Client, Place, open, token, wait_for};

/// `muster serve`, or what is left of it after it was killed. It ends with this value.
pub(crate) struct MusterProcess {
    client: Client,
    place: Place,
    listen: SocketAddr,
    child: Child,
}

impl MusterProcess {
    /// Starts it and waits until it serves.
    pub(crate) async fn start(place: Place) -> Result<MusterProcess> {
        let app = open(place.config(), Arc::new(SystemClock)).await?;
        app.store.migrate().await?;
        let token = token(&app, Role::Admin).await?;
        app.store.close().await;
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = MusterProcess {
            client: Client::new(format!("http://{listen}"), token),
            child: spawn(&place, listen)?,
            place,
            listen,
        };
        process.serves().await?;
        Ok(process)
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again after it was killed, and waits until it serves.
    pub(crate) async fn start_again(&mut self) -> Result<()> {
        self.child = spawn(&self.place, self.listen)?;
        self.serves().await
    }

    /// Gives it another place after it was killed, at the same address.
    pub(crate) fn move_to(&mut self, place: Place) {
        self.place = place;
    }

    /// The database it works on, and use cases on it that nobody carries out while it is dead.
    pub(crate) async fn inside(&self) -> Result<App> {
        open(self.place.config(), Arc::new(SystemClock)).await
    }

    /// A server that was killed holds its lease for a while: until then the next one only waits.
    async fn serves(&self) -> Result<()> {
        let served = wait_for("a serving Muster", async || {
            let health = self.client.get("/healthz").await;
            Ok(health.ok().filter(|health| health["status"] == "ok"))
        });
        let log = || std::fs::read_to_string(self.place.path("log")).unwrap_or_default();
        served.await.with_context(log).map(drop)
    }
}

impl Deref for MusterProcess {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for MusterProcess {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.kill();
    }
}

fn spawn(place: &Place, listen: SocketAddr) -> Result<Child> {
    let log = std::fs::File::options()
        .append(true)
        .create(true)
        .open(place.path("log"))?;
    let config = place.config();
    let mut serve = Command::new(program()?);
    serve
        .arg("serve")
        .env_clear()
        .env("MUSTER_KEY_FILE", config.key_file)
        .env("MUSTER_DATABASE", place.database())
        .envs(config.agent_dir.map(|folder| ("MUSTER_AGENT_DIR", folder)))
        .env("MUSTER_LISTEN", listen.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    serve.spawn().context("muster cannot be started")
}

/// The program. Cargo builds it before this test only when it builds everything, so it is asked to once more.
fn program() -> Result<&'static Path> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    if let Some(program) = PROGRAM.get() {
        return Ok(program);
    }
    let own = std::env::current_exe()?;
    let folder = own.ancestors().nth(2).context("tests stand in target/<profile>/deps")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        other => other.context("a profile")?,
    };
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args([
            "build",
            "--quiet",
            "--package",
            "muster",
            "--bin",
            "muster",
            "--profile",
            profile,
        ]);
        // What cargo tells tests about their own package would make it build others anew.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                build.env_remove(&name);
            }
        }
        ensure!(build.status()?.success(), "muster cannot be built");
    }
    Ok(PROGRAM.get_or_init(|| folder.join("muster")))
}
