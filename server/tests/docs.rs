//! docs/errors.md and docs/configuration.md say what the code does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args as _, Command};
use muster::config::{Config, ConfigArgs};
use muster::http::codes::CODES;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

#[test]
fn every_code_is_explained() -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path("errors.md"))?;
    let explained: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(code, _)| code))
        .collect();
    assert!(explained.is_sorted(), "the table is sorted");
    let explained: BTreeSet<&str> = explained.into_iter().collect();
    let listed: BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
    let different: Vec<_> = listed.symmetric_difference(&explained).collect();
    assert_eq!(different, Vec::<&&str>::new(), "docs/errors.md and http::codes differ");
    Ok(())
}

#[test]
fn the_configuration_is_documented_as_it_is() -> anyhow::Result<()> {
    let made = configuration()?;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path("configuration.md"), &made)?;
    }
    let written = std::fs::read_to_string(path("configuration.md")).unwrap_or_default();
    assert!(
        written == made,
        "docs/configuration.md is not what the code says: run `UPDATE_EXPECT=1 cargo nextest run -p muster configuration`"
    );
    Ok(())
}

const BEFORE: &str = "# Configuration

Muster reads, from the weakest to the strongest: its defaults, a TOML file, environment variables, flags. The file is
`/etc/muster/muster.toml`, or the one that `--config` or `MUSTER_CONFIG` names. A key of the file is a variable with `MUSTER_` before
it in capitals, and a flag with `-` for `_`. Unknown keys are refused, so that a typing error does not go unnoticed.

```toml
listen = \"0.0.0.0:8080\"
database = \"sqlite:/var/lib/muster/muster.db\"
public_url = \"https://muster.example.org\"
trusted_proxies = [\"10.0.0.5\"]
```

";

const AFTER: &str = "
## The key file

Secrets, such as PVE tokens, are sealed (AES-256-GCM) before they reach the database. `muster key init` makes the key file; only its
owner may read it. Keep a copy apart from the backups of the database. Under systemd the key can be a credential
(`LoadCredential=muster-key:/etc/muster/key`), which then needs no `key_file`. `muster key rotate`, with the server stopped, seals
everything anew under a fresh key.

## TLS without a proxy

With `tls_cert` and `tls_key` Muster serves https itself, and takes renewed files within a minute. Agents know the authorities that
browsers know. When none of them vouches for the certificate under the agents' address, as with one that you made yourself, the install
script carries its SHA-256, and the agent accepts this certificate and no other, whatever its dates are. So when you replace such a
certificate, install the agents again: by the same lines as the first time, over the ones that are there. Muster warns in its log. The
pasted line itself is safe over any connection: it holds the checksum of the script that it fetches, and no secret goes that way.

When `trusted_proxies` names a proxy and the agents' address has another port than `listen`, agents meet the proxy's certificate, and
the authorities must vouch for that.

## Looking for faults

`muster doctor` says what a start needs and lacks: key, database, secrets, accounts, certificate, agents. `muster doctor --store` reads the
database in one consistent view and names rows that contradict each other: each fault with its code, the table, the rows, what it means
and what to do. It writes nothing, needs no key, and may run beside the server, whose work at hand is no fault. Both end with 0 when
nothing is wrong and with 1 otherwise.

## Behind a proxy

Pass `Host` and `Origin` on, set `X-Forwarded-For` and `X-Forwarded-Proto`, and name the proxy in `trusted_proxies`; from others these
headers are ignored. Streams (`/api/v1/events`, job logs) and the agents' WebSocket (`/agent/v1/link`) stay alive by a ping every 20 s.
In nginx:

```nginx
location / {
    proxy_pass http://127.0.0.1:8080;
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
```

## Set while it runs

Admins set these in the dashboard, or by `PATCH /api/v1/settings`; they are kept in the database.

| setting | default | meaning |
|---|---|---|
";

fn configuration() -> anyhow::Result<String> {
    let defaults = toml::Table::try_from(Config::default())?;
    let mut text = BEFORE.to_owned();
    text.push_str("| key | default | meaning |\n|---|---|---|\n");
    let command = ConfigArgs::augment_args(Command::new("muster"));
    for arg in command
        .get_arguments()
        .filter(|arg| arg.get_id() != "config" && !arg.is_hide_set())
    {
        let key = arg.get_id().as_str();
        let default = defaults
            .get(key)
            .map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
        let help = arg
            .get_long_help()
            .or(arg.get_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        writeln!(
            text,
            "| `{key}` | {default} | {} |",
            help.replace('\n', " ").replace('|', "\\|")
        )?;
    }
    text.push_str(AFTER);
    let retention = muster::app::settings::Retention::default();
    let settings = [
        (
            "agent_url",
            "none".to_owned(),
            "The address under which agents in guests reach Muster.",
        ),
        (
            "retention.jobs_days",
            retention.jobs_days.to_string(),
            "Days that ended jobs are kept.",
        ),
        (
            "retention.log_days",
            retention.log_days.to_string(),
            "Days that lines of job logs are kept.",
        ),
        (
            "retention.audit_days",
            retention.audit_days.to_string(),
            "Days that audit entries are kept.",
        ),
        (
            "retention.discovery_days",
            retention.discovery_days.to_string(),
            "Days that records of discoveries are kept.",
        ),
    ];
    for (name, default, meaning) in settings {
        writeln!(text, "| `{name}` | {default} | {meaning} |")?;
    }
    Ok(text)
}
