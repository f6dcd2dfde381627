//! The command line and the start of the server, as a person meets them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::program::Place;

/// A client that speaks TLS with our own provider.
fn client() -> reqwest::ClientBuilder {
    // The first of several tests in one process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

async fn get(url: &str) -> anyhow::Result<Value> {
    Ok(client().build()?.get(url).send().await?.json().await?)
}

#[test]
fn a_start_that_cannot_work_says_why_and_what_to_do() -> anyhow::Result<()> {
    let place = Place::empty();
    assert!(
        place.refused(&["serve"]).contains("create one with `muster key init"),
        "a missing key"
    );
    place.succeeds(&["key", "init"]);
    assert!(place.refused(&["key", "init"]).contains("exists already and is kept"));
    fs::set_permissions(place.path("key"), fs::Permissions::from_mode(0o644))?;
    assert!(place.refused(&["serve"]).contains("chmod 600"), "a key for everybody");
    fs::set_permissions(place.path("key"), fs::Permissions::from_mode(0o600))?;

    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let said = place.refused(&["serve", "--listen", &address]);
    assert!(
        said.contains(&address) && said.contains("another program using the port"),
        "{said}"
    );

    let said = place.refused(&["serve", "--database", "mysql://x"]);
    assert!(said.contains("sqlite:<file>"), "{said}");
    let said = place.refused(&["serve", "--database", "postgres://u:hunter2@127.0.0.1:1/x"]);
    assert!(said.contains("cannot be opened") && !said.contains("hunter2"), "{said}");
    let said = place.refused(&["serve", "--tls-cert", "x"]);
    assert!(said.contains("tls_cert and tls_key belong together"), "{said}");
    fs::write(place.path("c.toml"), "lisen = \"x\"\n")?;
    let said = place.refused(&["serve", "--config", "c.toml"]);
    assert!(said.contains("lisen") && said.contains("c.toml"), "{said}");
    assert!(place.refused(&["serve", "--config", "none.toml"]).contains("none.toml"));
    Ok(())
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() -> anyhow::Result<()> {
    let place = Place::with_key();
    fs::write(
        place.path("c.toml"),
        "database = \"sqlite:file.db\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n",
    )?;
    let migrate = |variable: Option<&str>, flags: &[&str]| -> anyhow::Result<String> {
        let mut command = place.command(&["migrate", "--config", "c.toml"]);
        command.args(flags).env_remove("MUSTER_DATABASE");
        if let Some(variable) = variable {
            command
                .env("MUSTER_DATABASE", variable)
                .env("MUSTER_TRUSTED_PROXIES", "10.0.0.1, fd00::/8");
        }
        Ok(String::from_utf8(command.output()?.stdout)?)
    };
    assert!(migrate(None, &[])?.contains("sqlite:file.db"));
    assert!(migrate(Some("sqlite:variable.db"), &[])?.contains("sqlite:variable.db"));
    assert!(migrate(Some("sqlite:variable.db"), &["--database", "sqlite:flag.db"])?.contains("sqlite:flag.db"));

    let said = place.refused(&["migrate", "--trusted-proxies", "10.0.0.0/40"]);
    assert!(said.contains("neither an address nor a network"), "{said}");
    Ok(())
}

#[test]
fn the_key_can_be_a_credential_of_systemd() -> anyhow::Result<()> {
    let place = Place::with_key();
    fs::rename(place.path("key"), place.path("muster-key"))?;
    let mut command = place.command(&["token", "create", "x", "--quiet"]);
    let output = command
        .env_remove("MUSTER_KEY_FILE")
        .env("CREDENTIALS_DIRECTORY", place.path(""))
        .output()?;
    assert!(output.status.success(), "{output:?}");
    Ok(())
}

#[test]
fn accounts_and_tokens_are_managed_from_a_shell() {
    let place = Place::with_key();
    let add = place.run(&["user", "add", "ada", "--role", "admin"], "short\n");
    assert!(
        String::from_utf8_lossy(&add.stderr).contains("at least 10 characters"),
        "{add:?}"
    );
    place.succeeds_with(&["user", "add", "ada", "--role", "admin"], "correct horse battery\n");
    assert!(place.refused(&["user", "remove", "ADA"]).contains("last admin"));
    assert!(
        place
            .refused(&["user", "link", "nobody"])
            .contains("there is no user nobody")
    );
    let link = place.succeeds(&["user", "link", "ada"]);
    assert!(link.starts_with("http://127.0.0.1:0/sign-in#link="), "{link}");

    let token = place.succeeds(&["token", "create", "ci", "--user", "ada", "--quiet"]);
    assert!(token.starts_with("mst_") && !token.contains('\n'), "{token}");
    let list = place.succeeds(&["token", "list"]);
    assert!(list.contains("owner ada") && list.contains("viewer"), "{list}");
    let id = list.split_whitespace().next().expect("an id");
    place.succeeds(&["token", "revoke", id]);
    assert_eq!(place.succeeds(&["token", "list"]), "");
    place.succeeds(&["doctor"]);
}

#[tokio::test]
async fn the_first_start_prints_a_link_that_makes_the_first_account() -> anyhow::Result<()> {
    let place = Place::with_key();
    let mut serving = place.serve(&[]);
    let address = serving.address();
    let printed = serving.prints("/setup#token=");
    let (_, token) = printed.trim().rsplit_once("/setup#token=").expect("a link");
    let body = json!({ "token": token, "name": "ada", "password": "correct horse battery" });
    let answer = client()
        .build()?
        .post(format!("http://{address}/api/v1/setup"))
        .json(&body)
        .send()
        .await?;
    assert_eq!(answer.status(), 201);
    assert!(!serving.log().contains(token), "the link is not for the log");
    let log = serving.stop();
    assert!(log.contains("Muster has stopped"), "{log}");
    let mut again = place.serve(&[]);
    again.address();
    let printed = again.printed.clone();
    again.stop();
    assert_eq!(
        *printed.lock().expect("no reader panics"),
        "",
        "there is an account now"
    );
    Ok(())
}

#[tokio::test]
async fn a_second_server_waits_and_takes_over() -> anyhow::Result<()> {
    let place = Place::with_key();
    let mut first = place.serve(&[]);
    first.address();
    assert!(place.refused(&["key", "rotate"]).contains("stop it first"));

    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    drop(taken);
    let mut second = place.serve(&[("MUSTER_LISTEN", &address)]);
    second.logs("another Muster is active");
    assert_eq!(get(&format!("http://{address}/healthz")).await?["code"], "standby");
    first.stop();
    second.address();
    assert_eq!(get(&format!("http://{address}/healthz")).await?["status"], "ok");
    Ok(())
}

#[tokio::test]
async fn it_serves_its_own_tls_and_takes_a_certificate_from_files() -> anyhow::Result<()> {
    let place = Place::with_key();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    fs::write(place.path("cert.pem"), made.cert.pem())?;
    fs::write(place.path("key.pem"), made.signing_key.serialize_pem())?;
    let mut serving = place.serve(&[("MUSTER_TLS_CERT", "cert.pem"), ("MUSTER_TLS_KEY", "key.pem")]);
    let address = serving.address();
    let port = address.rsplit_once(':').expect("a port").1;
    let trusting = client()
        .tls_certs_only([reqwest::Certificate::from_pem(made.cert.pem().as_bytes())?])
        .build()?;
    let health: Value = trusting
        .get(format!("https://localhost:{port}/healthz"))
        .send()
        .await?
        .json()
        .await?;
    assert_eq!(health["status"], "ok");
    Ok(())
}
