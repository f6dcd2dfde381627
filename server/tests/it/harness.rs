//! A whole server without a socket: requests go through the router as they would from a connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use muster::app::{App, Caller, Ctx, Seal};
use muster::clock::{Clock, Ids};
use muster::config::Config;
use muster_domain::access::Role;
use muster_domain::{RequestId, Timestamp};
use muster_store::Store;
use serde_json::Value;
use tower::ServiceExt as _;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The password of accounts that tests make.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Names a throw-away PostgreSQL server on which all tests here run; without it they run on SQLite.
const ON: &str = "TEST_SERVER_ON";

/// A server under test. Its database goes with it.
pub(crate) struct TestServer {
    pub(crate) app: App,
    pub(crate) clock: Arc<HeldClock>,
    /// The address of its database.
    pub(crate) database: String,
    router: Router,
    _folder: tempfile::TempDir,
}

/// A clock that moves when it is told to.
pub(crate) struct HeldClock(AtomicI64);

impl HeldClock {
    pub(crate) fn pass(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).expect("a test's span is short");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Ids and secrets in a fixed order.
struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(
            0x0190_0000_0000_7000,
            0x8000_0000_0000_0000 | self.0.fetch_add(1, Ordering::SeqCst),
        )
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0x5a; 32];
        secret[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        secret
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The code of a problem document.
    pub(crate) fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        self.json()["code"].as_str().expect("a problem has a code").to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The cookie it sets, as a browser would send it back.
    pub(crate) fn cookie(&self) -> String {
        let set = self.header("set-cookie").expect("a cookie is set");
        set.split(';').next().expect("a cookie has a value").to_owned()
    }

    pub(crate) fn expect(self, status: StatusCode) -> Answer {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// A request on its way.
pub(crate) struct Call<'a> {
    server: &'a TestServer,
    request: axum::http::request::Builder,
    body: Body,
    peer: IpAddr,
}

impl TestServer {
    pub(crate) async fn start() -> TestServer {
        TestServer::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> TestServer {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = match std::env::var(ON) {
            Ok(server) => muster_store::fresh::create(&server).await,
            Err(_) => format!("sqlite:{}", folder.path().join("muster.db").display()),
        };
        let store = Store::open(&url).await.expect("opens");
        store.migrate().await.expect("migrates");
        let clock = Arc::new(HeldClock(AtomicI64::new(1_795_000_000_000_000)));
        let seal = Seal::new(&[Zeroizing::new([7; 32])]);
        let ids = Arc::new(CountedIds(AtomicU64::new(1)));
        let app = App::new(store, clock.clone(), ids, seal, config);
        TestServer {
            router: muster::http::router(app.clone()),
            app,
            clock,
            database: url,
            _folder: folder,
        }
    }

    /// The context of somebody with a shell on the server.
    pub(crate) fn shell(&self) -> Ctx {
        Ctx {
            caller: Caller::CommandLine,
            request: RequestId(self.app.ids.next()),
        }
    }

    /// A token of that role.
    pub(crate) async fn token(&self, role: Role) -> String {
        let new = muster::app::tokens::NewToken {
            name: format!("test {}", role.as_str()),
            role,
            expires_at: None,
            owner: None,
        };
        let (_, text) = self.app.create_token(&self.shell(), new).await.expect("makes a token");
        text.to_string()
    }

    /// Adds an account with [`PASSWORD`].
    pub(crate) async fn user(&self, name: &str, role: Role) -> muster::app::accounts::User {
        let new = muster::app::accounts::NewUser {
            name: name.to_owned(),
            role,
            password: Some(PASSWORD.to_owned()),
        };
        self.app.add_user(&self.shell(), new).await.expect("adds a user")
    }

    /// Adds an account that signs in by link only: quick, since no password is hashed.
    pub(crate) async fn named(&self, name: &str) {
        let new = muster::app::accounts::NewUser {
            name: name.to_owned(),
            role: Role::Viewer,
            password: None,
        };
        self.app.add_user(&self.shell(), new).await.expect("adds a user");
    }

    /// Signs in and returns the cookie.
    pub(crate) async fn sign_in(&self, name: &str) -> String {
        let body = serde_json::json!({ "name": name, "password": PASSWORD });
        self.post("/api/v1/session", &body)
            .send()
            .await
            .expect(StatusCode::OK)
            .cookie()
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Call<'_> {
        self.call(Method::POST, path).json(body)
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call {
            server: self,
            request: Request::builder().method(method).uri(path),
            body: Body::empty(),
            peer: IpAddr::from([192, 0, 2, 1]),
        }
    }
}

impl Call<'_> {
    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// As a browser on our own page sends it.
    pub(crate) fn browser(self, cookie: &str) -> Self {
        self.header("cookie", cookie).header("sec-fetch-site", "same-origin")
    }

    pub(crate) fn from(mut self, peer: &str) -> Self {
        self.peer = peer.parse().expect("an address");
        self
    }

    /// Sends it and looks at the status only: streams have no end to wait for.
    pub(crate) async fn head(self) -> StatusCode {
        self.respond().await.status()
    }

    pub(crate) async fn send(self) -> Answer {
        let (parts, body) = self.respond().await.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a whole body");
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("text"),
        }
    }

    pub(crate) async fn respond(self) -> axum::response::Response {
        let mut request = self.request.body(self.body).expect("a request");
        let peer = SocketAddr::from((self.peer, 50_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = self.server.router.clone();
        router.oneshot(request).await.expect("the router answers")
    }
}
