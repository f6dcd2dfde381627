//! What a script sees of a server: requests with a token, and the stream of events.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use proxmox_sim::ClusterHandle;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{PATIENCE, as_new, wait_for};

/// Somebody with an API token.
pub(crate) struct Client {
    /// Where the server listens.
    pub(crate) url: String,
    /// The token.
    pub(crate) token: String,
    http: reqwest::Client,
}

/// A stream of events.
pub(crate) struct Events {
    response: reqwest::Response,
    text: String,
    cursor: i64,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The body; null when there is none.
    pub(crate) body: Value,
}

impl Client {
    /// Somebody who has this token for the server at this address.
    pub(crate) fn new(url: String, token: String) -> Client {
        Client {
            url,
            token,
            http: reqwest::Client::new(),
        }
    }

    /// The same, believing this certificate (PEM) and no other.
    pub(crate) fn believing(self, certificate: &[u8]) -> Result<Client> {
        let certificate = reqwest::Certificate::from_pem(certificate)?;
        Ok(Client {
            http: reqwest::Client::builder().tls_certs_only([certificate]).build()?,
            ..self
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

    /// Sends a POST.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Follows the events from now on.
    pub(crate) async fn events(&self) -> Result<Events> {
        self.events_of("/api/v1/events").await
    }

    /// Follows the events after the one with this number.
    pub(crate) async fn events_after(&self, cursor: i64) -> Result<Events> {
        self.events_of(&format!("/api/v1/events?cursor={cursor}")).await
    }

    async fn events_of(&self, path: &str) -> Result<Events> {
        let asked = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let mut events = Events {
            response: asked.send().await?.error_for_status()?,
            text: String::new(),
            cursor: 0,
        };
        events.cursor = events.next("the greeting", |event| event["cursor"].as_i64()).await?;
        Ok(events)
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
        wait_for(&format!("the end of the job \"{}\"", job["title"]), async || {
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

    /// Tells the server where guests reach it.
    pub(crate) async fn set_agent_url(&self, url: &str) -> Result<()> {
        let settings = json!({ "agent_url": url });
        let changed = self.send(Method::PATCH, "/api/v1/settings", Some(&settings)).await?;
        changed.expect(StatusCode::OK).map(drop)
    }
}

impl Events {
    /// The number after which the stream began.
    pub(crate) fn cursor(&self) -> i64 {
        self.cursor
    }

    /// The next event; fails when the stream has ended.
    pub(crate) async fn one(&mut self) -> Result<Value> {
        loop {
            let frame = self.frame().await?;
            let data: String = frame.lines().filter_map(|line| line.strip_prefix("data:")).collect();
            if let Ok(event) = serde_json::from_str(&data) {
                return Ok(event);
            }
        }
    }

    /// Waits for so many pings, which keep a quiet stream open. Events on the way are passed over.
    pub(crate) async fn pings(&mut self, count: usize) -> Result<()> {
        let search = async {
            let mut heard = 0;
            while heard < count {
                heard += usize::from(self.frame().await?.starts_with(": ping"));
            }
            Ok(())
        };
        let heard = tokio::time::timeout(PATIENCE, search).await;
        heard.context("pings did not come")?
    }

    /// What the stream says next, up to an empty line.
    async fn frame(&mut self) -> Result<String> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let frame = frame.to_owned();
                self.text = rest.to_owned();
                return Ok(frame);
            }
            let chunk = self.response.chunk().await?.context("the stream ended")?;
            self.text.push_str(std::str::from_utf8(&chunk)?);
        }
    }

    /// Waits for an event of which `wanted` makes something; those before it are passed over.
    pub(crate) async fn next<T>(&mut self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let search = async {
            loop {
                if let Some(found) = wanted(&self.one().await?) {
                    return Ok(found);
                }
            }
        };
        tokio::time::timeout(PATIENCE, search)
            .await
            .with_context(|| format!("{what} did not come"))?
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
