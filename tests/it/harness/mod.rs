//! A server on a free port with its own database, and a simulated Proxmox VE beside it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use muster::app::inspection::inspect;
use muster::app::tokens::NewToken;
use muster::app::{App, Caller, Ctx, Seal};
use muster::clock::{Clock, SystemClock};
use muster::config::{Config, DatabaseUrl};
use muster_domain::access::Role;
use muster_domain::{RequestId, Timestamp};
use proxmox_sim::{Clock as SimClock, ClusterHandle, Options, Scenario, Sim, SteppedClock, Timing};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

/// How long anything may take that a test waits for. Generous: only a hanging test meets it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Its background work ends and its database goes with this value.
pub(crate) struct Muster {
    /// Where it listens.
    pub(crate) url: String,
    /// An API token of role admin.
    pub(crate) token: String,
    /// The server from the inside, for what has no address.
    pub(crate) app: App,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

/// What of a server a test takes into its own hands.
pub(crate) struct Start {
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether clusters are discovered by themselves, and other loops run.
    pub(crate) discovers: bool,
    /// Seconds that one exchange with Proxmox VE may take.
    pub(crate) pve_timeout_seconds: u64,
}

impl Default for Start {
    fn default() -> Start {
        Start {
            clock: Arc::new(SystemClock),
            discovers: true,
            pve_timeout_seconds: Config::default().pve_timeout_seconds,
        }
    }
}

/// A stream of events.
pub(crate) struct Events {
    response: reqwest::Response,
    text: String,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The body; null when there is none.
    pub(crate) body: Value,
}

impl Muster {
    /// Starts a server on SQLite.
    pub(crate) async fn start() -> Result<Muster> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("muster.db").display());
        Muster::on(&url, folder, Start::default()).await
    }

    /// Starts a server on SQLite, parts of which are in the test's hands.
    pub(crate) async fn start_with(start: Start) -> Result<Muster> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("muster.db").display());
        Muster::on(&url, folder, start).await
    }

    /// Starts a server on a fresh database of the PostgreSQL server that `TEST_POSTGRES_URL` names.
    pub(crate) async fn start_on_postgres() -> Result<Muster> {
        Muster::on(&postgres::create().await?, tempfile::tempdir()?, Start::default()).await
    }

    /// Starts a server on SQLite that serves TLS by a certificate of its own making.
    pub(crate) async fn start_with_tls() -> Result<Muster> {
        let folder = tempfile::tempdir()?;
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem())?;
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())?;
        let url = format!("sqlite:{}", folder.path().join("muster.db").display());
        Muster::on(&url, folder, Start::default()).await
    }

    async fn on(database: &str, folder: tempfile::TempDir, start: Start) -> Result<Muster> {
        static PROVIDER: OnceLock<()> = OnceLock::new();
        PROVIDER.get_or_init(|| {
            // A second test of the same process finds it there.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let file = |name: &str| Some(folder.path().join(name)).filter(|path| path.is_file());
        let certificate = file("cert.pem").map(std::fs::read).transpose()?;
        let config = Config {
            database: DatabaseUrl::new(database),
            key_file: folder.path().join("key"),
            tls_cert: file("cert.pem"),
            tls_key: file("key.pem"),
            agent_dir: agents().unwrap_or_else(|| folder.path().join("agents")),
            pve_timeout_seconds: start.pve_timeout_seconds,
            ..Config::default()
        };
        Seal::create(&config.key_file, Zeroizing::new([7; 32]))?;
        let mut app = muster::boot::open(config).await?;
        app.clock = start.clock;
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let tls = muster::http::tls::start(&app)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        if start.discovers {
            muster::boot::start_loops(&app);
        } else {
            muster::jobs::start(&app);
        }
        let served =
            muster::http::serve::serve(listener, muster::http::router(app.clone()), tls, app.lifecycle.clone());
        app.lifecycle.spawn("http", served);
        let token = token(&app, Role::Admin).await?;
        Ok(Muster {
            url,
            token,
            app,
            http: client(certificate.as_deref())?,
            _folder: folder,
        })
    }

    /// Reads, and expects 200.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.send(Method::GET, path, None).await?.expect(StatusCode::OK)
    }

    /// Sends a request with a body, if one is given.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.send_as(&self.token, method, path, body).await
    }

    /// The same with another token.
    pub(crate) async fn send_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text)?
        };
        Ok(Answer { status, body })
    }

    /// Follows the events from now on.
    pub(crate) async fn events(&self) -> Result<Events> {
        let response = self
            .http
            .get(format!("{}/api/v1/events", self.url))
            .bearer_auth(&self.token)
            .send()
            .await?;
        let mut events = Events {
            response: response.error_for_status()?,
            text: String::new(),
        };
        events
            .next("the greeting", |event| {
                (event["kind"] == "hello" || event["cursor"].is_number()).then_some(())
            })
            .await?;
        Ok(events)
    }

    /// Fails when stored rows contradict each other, as `muster doctor --store` does. Call it last.
    pub(crate) async fn assert_store_is_clean(&self) -> Result<()> {
        let mut tx = self.app.store.read().await?;
        let findings = inspect(&mut tx, self.app.clock.now()).await?;
        ensure!(findings.is_empty(), "the store is not clean: {findings:#?}");
        Ok(())
    }

    /// Sends a POST.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Adds a simulated cluster with its first certificate pinned, and waits until it was discovered. Returns its id.
    pub(crate) async fn add(&self, cluster: &ClusterHandle) -> Result<String> {
        let added = self.post("/api/v1/proxmox/clusters", &as_new(cluster)).await?;
        let added = added.expect(StatusCode::CREATED)?;
        let id = added["id"].as_str().context("an id")?.to_owned();
        let path = format!("/api/v1/proxmox/clusters/{id}/discoveries");
        wait_for("the first discovery", || async {
            let log = self.get(&path).await?;
            Ok(log["items"]
                .as_array()
                .is_some_and(|items| !items.is_empty())
                .then_some(()))
        })
        .await?;
        Ok(id)
    }

    /// Waits until a job has ended, and answers it.
    pub(crate) async fn ended(&self, job: &Value) -> Result<Value> {
        let id = job["id"].as_str().context("a job has an id")?;
        let path = format!("/api/v1/jobs/{id}");
        wait_for("the end of the job", async || {
            let job = self.get(&path).await?;
            Ok(Some(job).filter(|job| !matches!(job["state"].as_str(), Some("queued" | "running"))))
        })
        .await
    }

    /// A job's targets by the name of their guest.
    pub(crate) async fn targets(&self, job: &Value) -> Result<BTreeMap<String, Value>> {
        let id = job["id"].as_str().context("a job has an id")?;
        let page = self.get(&format!("/api/v1/jobs/{id}/targets")).await?;
        let targets = page["items"].as_array().context("targets")?.clone();
        let name = |target: &Value| target["name"].as_str().unwrap_or_default().to_owned();
        Ok(targets.into_iter().map(|target| (name(&target), target)).collect())
    }

    /// The tree of a cluster.
    pub(crate) async fn tree(&self, id: &str) -> Result<Value> {
        self.get(&format!("/api/v1/proxmox/clusters/{id}/hierarchy")).await
    }
}

/// A client that believes this certificate, if one is given, and no other.
fn client(certificate: Option<&[u8]>) -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder();
    let builder = match certificate {
        Some(pem) => builder.tls_certs_only([reqwest::Certificate::from_pem(pem)?]),
        None => builder,
    };
    Ok(builder.build()?)
}

impl Events {
    /// Waits for an event of which `wanted` makes something; those before it are passed over.
    pub(crate) async fn next<T>(&mut self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let search = async {
            loop {
                while let Some((frame, rest)) = self.text.split_once("\n\n") {
                    let data = frame
                        .lines()
                        .filter_map(|line| line.strip_prefix("data:"))
                        .collect::<String>();
                    self.text = rest.to_owned();
                    if let Ok(event) = serde_json::from_str(&data)
                        && let Some(found) = wanted(&event)
                    {
                        return Ok(found);
                    }
                }
                let chunk = self.response.chunk().await?.context("the stream ended")?;
                self.text.push_str(std::str::from_utf8(&chunk)?);
            }
        };
        tokio::time::timeout(PATIENCE, search)
            .await
            .with_context(|| format!("{what} did not come"))?
    }
}

impl Drop for Muster {
    fn drop(&mut self) {
        self.app.lifecycle.stop();
    }
}

impl Answer {
    /// The body, when the status is this one.
    pub(crate) fn expect(self, status: StatusCode) -> Result<Value> {
        if self.status != status {
            bail!("{} instead of {status}: {}", self.status, self.body);
        }
        Ok(self.body)
    }

    /// The code of a problem document.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// A simulator whose time passes when it is told to.
pub(crate) struct Lab {
    sim: Sim,
    clock: SteppedClock,
}

impl Lab {
    /// The time in the simulated clusters.
    pub(crate) fn now(&self) -> Timestamp {
        let millis = i64::try_from(self.clock.now()).unwrap_or(i64::MAX / 1000);
        Timestamp::from_micros(millis * 1000)
    }

    /// Lets time pass in the simulated clusters; their nodes tell each other of their guests every 10 s.
    pub(crate) fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }
}

impl Deref for Lab {
    type Target = Sim;

    fn deref(&self) -> &Sim {
        &self.sim
    }
}

/// The clusters of somebody's home.
pub(crate) fn homelab() -> Result<Lab> {
    simulate(Scenario::Homelab, false)
}

/// The same, with a call that runs commands in containers, which no released Proxmox VE has.
pub(crate) fn homelab_with_exec() -> Result<Lab> {
    simulate(Scenario::Homelab, true)
}

/// Some clusters. What Proxmox VE delays on purpose is answered at once.
pub(crate) fn simulate(scenario: Scenario, lxc_exec: bool) -> Result<Lab> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let clock = SteppedClock::at(u64::try_from(now.as_millis())?);
    let sim = Sim::start(Options {
        scenario,
        timing: Timing {
            failed_login: Duration::ZERO,
            unreachable: Duration::ZERO,
            ..Timing::default()
        },
        lxc_exec,
        clock: SimClock::Stepped(clock.clone()),
        ..Options::default()
    })?;
    Ok(Lab { sim, clock })
}

/// What one sends to add a simulated cluster.
pub(crate) fn as_new(cluster: &ClusterHandle) -> Value {
    json!({
        "name": cluster.title,
        "endpoints": cluster.endpoints,
        "token_id": cluster.token_id,
        "token_secret": cluster.token_secret,
        "tls": { "mode": "pinned", "fingerprint": cluster.fingerprint },
    })
}

/// The context of somebody with a shell on the server.
pub(crate) fn shell(app: &App) -> Ctx {
    Ctx {
        caller: Caller::CommandLine,
        request: RequestId(app.ids.next()),
    }
}

/// A token of that role.
pub(crate) async fn token(app: &App, role: Role) -> Result<String> {
    let new = NewToken {
        name: format!("test {}", role.as_str()),
        role,
        owner: None,
        expires_at: None,
    };
    let (_, text) = app.create_token(&shell(app), new).await?;
    Ok(text.to_string())
}

/// The folder with the static agent, which `make test` builds.
fn agents() -> Option<PathBuf> {
    std::env::var_os("TEST_AGENTS").map(PathBuf::from)
}

/// Whether the static agent and guests that can run it are here. Without them the test is noted as skipped; in CI that is a
/// failure.
pub(crate) fn can_run_agents(test: &str) -> bool {
    let missing = match agents() {
        None => Some("TEST_AGENTS names no folder with the agent".to_owned()),
        Some(_) => proxmox_sim::check_guests().err().map(|error| format!("{error:#}")),
    };
    let Some(missing) = missing else { return true };
    assert!(
        std::env::var_os("CI").is_none(),
        "{test} cannot be skipped in CI: {missing}"
    );
    eprintln!("skipped: {test}: {missing}");
    if let Some(path) = std::env::var_os("TEST_SKIPS") {
        let file = std::fs::File::options().append(true).create(true).open(path);
        let noted = file.and_then(|mut file| writeln!(file, "{test}: {missing}"));
        noted.expect("the list of skips is written");
    }
    false
}

/// Asks again and again until there is an answer; fails after [`PATIENCE`] with the name of what did not come.
pub(crate) async fn wait_for<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        if tokio::time::Instant::now() >= deadline {
            bail!("{what} did not come within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

mod postgres {
    use std::sync::atomic::{AtomicU32, Ordering};

    use anyhow::{Context as _, Result};
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

    static COUNT: AtomicU32 = AtomicU32::new(0);

    /// Creates an empty database. Its name holds the process id, so that tests of several processes do not meet.
    pub(super) async fn create() -> Result<String> {
        let base = std::env::var("TEST_POSTGRES_URL")
            .context("TEST_POSTGRES_URL names a throw-away PostgreSQL server; `make test` starts one")?;
        let name = format!(
            "muster_it_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = PgConnection::connect(&base).await?;
        admin
            .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}")))
            .await?;
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
        let (server, _) = base.rsplit_once('/').context("the address ends in a database name")?;
        Ok(format!("{server}/{name}"))
    }
}
