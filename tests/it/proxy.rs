//! Muster behind nginx, set up as docs/configuration.md says.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use serde_json::json;

use crate::harness::agents::{Guest, debians, install, scan};
use crate::harness::{Client, Muster, can_proxy, can_run_agents, wait_for};

const DOCUMENTED: &str = include_str!("../../docs/configuration.md");

#[tokio::test(flavor = "multi_thread")]
async fn links_and_streams_stay_up_through_nginx() -> Result<()> {
    let test = "links_and_streams_stay_up_through_nginx";
    if !can_run_agents(test) || !can_proxy(test) {
        return Ok(());
    }
    let (lab, muster) = (debians(1)?, Muster::start().await?);
    let nginx = Nginx::start(&muster.url).await?;
    let outside = Client::new(nginx.url.clone(), muster.token.clone());
    outside.add(&lab.clusters()[0]).await?;
    outside.set_agent_url(&nginx.url).await?;
    let guest = Guest::of(&lab, 100);
    install(&outside, &lab, &[guest]).await?;
    let counter = async || -> Result<i64> {
        let id = guest.id(&outside).await?.parse()?;
        let agent = muster.app.store.read().await?.agent_of(id).await?;
        Ok(agent.context("an agent")?.counter)
    };
    let before = counter().await?;

    let mut stream = outside.events().await?;
    // Two pings take longer than nginx waits for a word of anybody.
    stream.pings(2).await?;
    assert_eq!(counter().await?, before, "the agent is still on its first link");
    let job = scan(&outside, &[guest]).await?;
    stream
        .next("the end of the scan, as it happens", |event| {
            let done = event["kind"] == "job.changed" && event["job"]["state"] == "succeeded";
            (done && event["job"]["id"] == job["id"]).then_some(())
        })
        .await?;

    // Whoever fails often waits, others do not: both are told apart through nginx.
    wait_for("a limit on sign-ins", async || {
        let status = sign_in(&nginx.url, "127.0.0.2").await?;
        Ok((status == StatusCode::TOO_MANY_REQUESTS).then_some(()))
    })
    .await?;
    assert_eq!(sign_in(&nginx.url, "127.0.0.3").await?, StatusCode::UNAUTHORIZED);
    muster.assert_store_is_clean().await
}

/// Tries a wrong password from that address, and says to come from elsewhere.
async fn sign_in(url: &str, from: &str) -> Result<StatusCode> {
    let client = reqwest::Client::builder()
        .local_address(Some(from.parse()?))
        .pool_max_idle_per_host(0)
        .build()?;
    let request = client.post(format!("{url}/api/v1/session"));
    let answer = request
        .header("x-forwarded-for", "192.0.2.1")
        .json(&json!({ "name": "ada", "password": "a wrong password" }))
        .send()
        .await?;
    Ok(answer.status())
}

/// A private nginx, ended with this value.
struct Nginx {
    url: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts it in front of a server. It is less patient than by default, which is 60 s, so that a test need not wait so long.
    async fn start(server: &str) -> Result<Nginx> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().display();
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let (_, documented) = DOCUMENTED.split_once("```nginx\n").context("the documented settings")?;
        let (documented, _) = documented.split_once("```").context("their end")?;
        let location = documented.replace("http://127.0.0.1:8080", server);
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {path}/{name};\n"))
            .concat();
        let settings = format!(
            "daemon off;\npid {path}/pid;\nerror_log {path}/log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\
             proxy_read_timeout 25s;\nproxy_send_timeout 25s;\nserver {{\nlisten {listen};\n{location}\n}}\n}}\n"
        );
        std::fs::write(folder.path().join("nginx.conf"), settings)?;
        let mut command = Command::new("nginx");
        command
            .arg("-p")
            .arg(folder.path())
            .args(["-c", "nginx.conf", "-e", "log"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let nginx = Nginx {
            url: format!("http://{listen}"),
            child,
            _folder: folder,
        };
        wait_for("nginx", async || Ok(reqwest::get(&nginx.url).await.ok().map(drop))).await?;
        Ok(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A killed master leaves its workers behind; asked to, it ends them.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.child.wait();
    }
}
