use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result};
use muster_packages::install::{self, AgentDownload, GuestInstall, Script};
use sha2::{Digest, Sha256};

use crate::file_server::FileServer;
use crate::guest_root::{Client, GuestRoot, said};
use crate::shell::SHELLS;

const PROGRAM: &str = "usr/local/lib/muster/muster-agent";
const PATH: &str = "/agent/download/x86_64";
const ONLINE: &str = "muster-agent is online\n";

/// Stands for the agent: enrols with every token but `used`, and is online once it ran.
pub(crate) const AGENT: &str = r#"#!/bin/sh
state=/var/lib/muster-agent
case $1 in
  --version) echo muster-agent ;;
  enroll)
    mkdir -p $state
    echo "$*" >>$state/enrolled
    case "$*" in *"--token used"*) echo "Muster refused the enrolment: This token was used." && exit 1 ;; esac ;;
  run) : >$state/online ;;
  status) [ -e $state/online ] || { echo "offline" && exit 1; } ;;
esac
"#;

pub(crate) fn install_from(server: &FileServer) -> GuestInstall {
    server.put(PATH, AGENT);
    GuestInstall {
        agent_url: server.url(),
        server_key: "c2VydmVyIGtleSBzZXJ2ZXIga2V5IHNlcnZlciBrZXk=".to_owned(),
        certificate: None,
        agents: vec![AgentDownload {
            arch: std::env::consts::ARCH.to_owned(),
            url: format!("{}{PATH}", server.url()),
            sha256: hex::encode(Sha256::digest(AGENT)),
        }],
    }
}

fn guests() -> Result<[GuestRoot; 3]> {
    Ok([
        GuestRoot::debian(Client::Curl)?,
        GuestRoot::debian(Client::Wget)?,
        GuestRoot::alpine()?,
    ])
}

/// Runs the script in the guest as the pasted line does.
fn run(guest: &GuestRoot, script: &Script, arguments: &[&str]) -> Result<(i32, String)> {
    fs::write(guest.path("root/install.sh"), &script.text)?;
    guest.run(&[&["sh", "/root/install.sh"], arguments].concat())
}

fn nothing_left(guest: &GuestRoot) -> Result<()> {
    assert_eq!(guest.list("usr/local/lib")?, [""; 0]);
    assert_eq!(guest.list("tmp")?, [""; 0]);
    for folder in ["etc/systemd/system", "etc/init.d"] {
        assert!(guest.list(folder).unwrap_or_default().is_empty());
    }
    Ok(())
}

/// The shell of whoever pastes the line.
fn paste(guest: &GuestRoot, line: &str) -> Result<(i32, String)> {
    guest.run(&["sh", "-c", line])
}

#[test]
fn the_pasted_line_installs_repairs_and_the_other_line_removes() -> Result<()> {
    for guest in guests()? {
        let server = FileServer::start()?;
        let script = install::guest_script(&install_from(&server))?;
        server.put("/install/1", script.text.as_str());
        let line = install::guest_line(&format!("{}/install/1", server.url()), &script.sha256, "once")?;

        assert_eq!(paste(&guest, &line)?, (0, ONLINE.to_owned()));
        assert_eq!(guest.read(PROGRAM)?, AGENT);
        let enrolled = guest.read("var/lib/muster-agent/enrolled")?;
        let wanted = format!(
            "enroll --url {} --token once --server-key {}\n",
            server.url(),
            install_from(&server).server_key
        );
        assert_eq!(enrolled, wanted);
        assert_eq!(guest.list("tmp")?, [""; 0]);
        assert_eq!(guest.list("usr/local/lib/muster")?, ["muster-agent"]);

        assert_eq!(paste(&guest, &line)?, (0, ONLINE.to_owned()));
        assert_eq!(server.asked(PATH), 1, "a good program is not fetched again");
        fs::write(guest.path(PROGRAM), "half of it")?;
        assert_eq!(paste(&guest, &line)?, (0, ONLINE.to_owned()));
        assert_eq!(guest.read(PROGRAM)?, AGENT);

        assert_eq!(
            paste(&guest, &install::uninstall_line())?,
            (0, "muster-agent is removed\n".to_owned())
        );
        nothing_left(&guest)?;
        assert!(!guest.path("var/lib/muster-agent").exists());
    }
    Ok(())
}

#[test]
fn the_service_is_started_and_enabled() -> Result<()> {
    let server = FileServer::start()?;
    let script = install::guest_script(&install_from(&server))?;
    let [systemd, _, openrc] = guests()?;
    assert_eq!(run(&systemd, &script, &["t"])?, (0, ONLINE.to_owned()));
    assert_eq!(
        systemd.read("var/log/services")?,
        "daemon-reload\nenable muster-agent\nrestart muster-agent\n"
    );
    let unit = systemd.read("etc/systemd/system/muster-agent.service")?;
    assert!(
        unit.contains("\nKillMode=process\n") && unit.contains("\nRestart=always\n"),
        "{unit}"
    );

    assert_eq!(run(&openrc, &script, &["t"])?, (0, ONLINE.to_owned()));
    assert_eq!(
        openrc.read("var/log/services")?,
        "update add muster-agent default\nmuster-agent restart\n"
    );
    assert_eq!(
        run(&openrc, &script, &["--uninstall"])?,
        (0, "muster-agent is removed\n".to_owned())
    );
    nothing_left(&openrc)
}

#[test]
fn an_address_that_cannot_be_reached_is_named() -> Result<()> {
    let server = FileServer::start()?;
    let mut install = install_from(&server);
    // Port 1 of this machine has no listener.
    install.agent_url = "http://127.0.0.1:1".to_owned();
    install.agents[0].url = "http://127.0.0.1:1/agent".to_owned();
    let script = install::guest_script(&install)?;
    let line = install::guest_line("http://127.0.0.1:1/install/1", &script.sha256, "t")?;
    for guest in guests()? {
        assert_eq!(
            run(&guest, &script, &["t"])?,
            (1, "failed: cannot reach http://127.0.0.1:1\n".to_owned())
        );
        let pasted = paste(&guest, &line)?;
        assert_eq!(
            pasted,
            (
                1,
                "cannot reach http://127.0.0.1:1/install/1 (curl or wget is needed)\n".to_owned()
            )
        );
        nothing_left(&guest)?;
    }
    Ok(())
}

#[test]
fn what_is_not_as_promised_is_not_run() -> Result<()> {
    for guest in guests()? {
        let server = FileServer::start()?;
        let install = install_from(&server);
        let script = install::guest_script(&install)?;
        server.put("/install/1", format!("{}\n", script.text));
        let url = format!("{}/install/1", server.url());
        let (code, said) = paste(&guest, &install::guest_line(&url, &script.sha256, "t")?)?;
        assert_eq!((code, said.contains("not the expected script")), (1, true), "{said}");

        server.put(PATH, "#!/bin/sh\necho evil >/root/evil\n");
        let damaged = format!(
            "failed: the agent from {} is damaged: its checksum is wrong\n",
            install.agents[0].url
        );
        assert_eq!(run(&guest, &script, &["t"])?, (1, damaged));

        let absent = GuestInstall {
            agents: vec![AgentDownload {
                url: format!("{}/none", server.url()),
                ..install.agents[0].clone()
            }],
            ..install
        };
        let (code, said) = run(&guest, &install::guest_script(&absent)?, &["t"])?;
        assert_eq!(code, 1);
        assert!(said.starts_with("failed: Muster answers at "), "{said}");
        assert!(!guest.path("root/evil").exists());
        nothing_left(&guest)?;
    }
    Ok(())
}

#[test]
fn a_failure_is_the_last_word_and_an_old_installation_stays() -> Result<()> {
    let server = FileServer::start()?;
    let script = install::guest_script(&install_from(&server))?;
    for guest in guests()? {
        let refused = (
            7,
            "failed: Muster refused the enrolment: This token was used.\n".to_owned(),
        );
        assert_eq!(run(&guest, &script, &["used"])?, refused);
        nothing_left(&guest)?;
        assert_eq!(run(&guest, &script, &["t"])?, (0, ONLINE.to_owned()));
        assert_eq!(run(&guest, &script, &["used"])?, refused);
        assert_eq!(guest.read(PROGRAM)?, AGENT);

        fs::write(guest.path(PROGRAM), "an older version")?;
        server.put(PATH, "half of it");
        assert_eq!(run(&guest, &script, &["t"])?.0, 1);
        assert_eq!(guest.read(PROGRAM)?, "an older version");
        assert_eq!(guest.list("usr/local/lib/muster")?, ["muster-agent"]);
        server.put(PATH, AGENT);
    }
    Ok(())
}

#[test]
fn an_agent_that_does_not_come_online_is_said_with_its_reason() -> Result<()> {
    let server = FileServer::start()?;
    let script = install::guest_script(&install_from(&server))?;
    let guest = GuestRoot::debian(Client::Curl)?;
    guest.tool("systemctl", "#!/bin/sh\n")?;
    guest.tool("sleep", "#!/bin/sh\n")?;
    assert_eq!(
        run(&guest, &script, &["t"])?,
        (1, "failed: installed, but not online yet: offline\n".to_owned())
    );
    assert_eq!(guest.read(PROGRAM)?, AGENT, "it may come online later");
    Ok(())
}

#[test]
fn preconditions_are_checked_before_anything_changes() -> Result<()> {
    let server = FileServer::start()?;
    let script = install::guest_script(&install_from(&server))?;
    let failing = [
        (
            "uname",
            "#!/bin/sh\necho riscv64\n",
            1,
            "failed: there is no agent for the architecture riscv64\n",
        ),
        ("id", "#!/bin/sh\necho 1000\n", 1, "failed: this must be run as root\n"),
        (
            "df",
            "#!/bin/sh\necho F\necho / 9 9 100 9 /\n",
            5,
            "failed: there is too little space in /usr/local/lib/muster: 16 MB are needed\n",
        ),
    ];
    for (tool, text, code, said) in failing {
        let guest = GuestRoot::debian(Client::Curl)?;
        guest.tool(tool, text)?;
        assert_eq!(run(&guest, &script, &["t"])?, (code, said.to_owned()));
        nothing_left(&guest)?;
    }
    let guest = GuestRoot::debian(Client::None)?;
    assert_eq!(
        run(&guest, &script, &["t"])?,
        (
            3,
            "failed: neither curl nor wget is here to fetch the agent\n".to_owned()
        )
    );
    nothing_left(&guest)?;
    fs::remove_dir(guest.path("run/systemd/system"))?;
    let (code, said) = run(&guest, &script, &["t"])?;
    assert!(code == 4 && said.contains("neither systemd nor OpenRC"), "{said}");
    let (code, said) = run(&guest, &script, &[])?;
    assert!(code == 1 && said.contains("token is missing"), "{said}");
    Ok(())
}

#[test]
fn a_given_program_is_checked_and_taken() -> Result<()> {
    let server = FileServer::start()?;
    let script = install::guest_script(&install_from(&server))?;
    let guest = GuestRoot::debian(Client::None)?;
    fs::write(guest.path("root/wrong"), "something else")?;
    let wrong = run(&guest, &script, &["t", "--agent", "/root/wrong"])?;
    assert_eq!(
        wrong,
        (
            1,
            "failed: the agent program at /root/wrong is not the expected one\n".to_owned()
        )
    );
    nothing_left(&guest)?;
    fs::write(guest.path("root/agent"), AGENT)?;
    assert_eq!(
        run(&guest, &script, &["t", "--agent", "/root/agent"])?,
        (0, ONLINE.to_owned())
    );
    assert_eq!(server.asked(PATH), 0);
    Ok(())
}

#[test]
fn half_a_script_does_nothing() -> Result<()> {
    let server = FileServer::start()?;
    let script = install::guest_script(&install_from(&server))?;
    let lines: Vec<&str> = script.text.lines().collect();
    let guest = GuestRoot::debian(Client::Curl)?;
    for end in (1..lines.len()).step_by(9) {
        fs::write(guest.path("root/half.sh"), lines[..end].join("\n"))?;
        let half = fs::File::open(guest.path("root/half.sh"))?;
        guest
            .enter()
            .args(["sh", "-s", "--", "t"])
            .stdin(half)
            .stderr(Stdio::null())
            .output()?;
        nothing_left(&guest)?;
    }
    assert!(!guest.path("var/lib/muster-agent").exists());
    Ok(())
}

#[test]
fn the_scripts_and_lines_are_posix_shell() -> Result<()> {
    let server = FileServer::start()?;
    let install = install_from(&server);
    let texts = [
        install::guest_script(&install)?.text,
        install::node_script(&install)?.text,
    ];
    for shell in SHELLS {
        for text in &texts {
            let mut check = std::process::Command::new(shell[0]);
            check.args(&shell[1..]).args(["-n", "-c", text]);
            assert_eq!(said(check.output()?)?, (0, String::new()), "{shell:?}");
        }
    }
    Ok(())
}

#[test]
fn text_that_means_something_to_a_shell_is_refused() -> Result<()> {
    let server = FileServer::start()?;
    let good = install_from(&server);
    for bad in [
        "",
        "http://x/'; rm -rf /",
        "http://x/$(id)",
        "http://x/`id`",
        "http://x/\"",
        "a b",
        "a\nb",
    ] {
        let install = GuestInstall {
            agent_url: bad.to_owned(),
            ..good.clone()
        };
        assert!(
            install::guest_script(&install).is_err() && install::node_script(&install).is_err(),
            "{bad}"
        );
        assert!(install::guest_line("http://x/", "00", bad).is_err(), "{bad}");
        assert!(install::guest_line(bad, "00", "t").is_err(), "{bad}");
    }
    install::guest_script(&good).context("the good one is taken")?;
    Ok(())
}

#[test]
fn in_two_steps_the_program_comes_first_and_the_token_last() -> Result<()> {
    for guest in guests()? {
        let server = FileServer::start()?;
        let script = install::guest_script(&install_from(&server))?;
        let placed = (0, "the agent program is in place\n".to_owned());
        assert_eq!(run(&guest, &script, &["--program"])?, placed);
        assert!(!guest.path("var/lib/muster-agent/enrolled").exists());
        fs::write(guest.path("root/token"), "once")?;
        let served = (0, "the agent is enrolled and its service runs\n".to_owned());
        assert_eq!(run(&guest, &script, &["--serve", "/root/token"])?, served);
        assert!(guest.read("var/lib/muster-agent/enrolled")?.contains("--token once"));
        assert!(!guest.path("root/token").exists(), "a token is used once");
        assert!(guest.path("var/lib/muster-agent/online").exists());
    }
    let (guest, server) = (GuestRoot::debian(Client::None)?, FileServer::start()?);
    let script = install::guest_script(&install_from(&server))?;
    assert_eq!(run(&guest, &script, &["--program"])?.0, 3);
    nothing_left(&guest)?;
    fs::write(guest.path("root/agent"), AGENT)?;
    assert_eq!(run(&guest, &script, &["--program", "/root/agent"])?.0, 0, "brought in");
    fs::write(guest.path("root/token"), "used")?;
    assert_eq!(run(&guest, &script, &["--serve", "/root/token"])?.0, 7);
    nothing_left(&guest)
}

#[test]
fn the_look_before_says_what_is_there_and_makes_a_folder_anew() -> Result<()> {
    let server = FileServer::start()?;
    server.put("/healthz", "ok");
    let look = |guest: &GuestRoot, url: &str| -> Result<install::Host> {
        let install = GuestInstall {
            agent_url: url.to_owned(),
            ..install_from(&server)
        };
        let script = install::preflight_script(&install, "/tmp/.muster-1")?;
        fs::write(guest.path("root/look.sh"), script)?;
        let (_, said) = guest.run(&["sh", "/root/look.sh"])?;
        Ok(install::read_preflight(said.as_bytes())?)
    };
    let guest = GuestRoot::debian(Client::Wget)?;
    fs::create_dir(guest.path("tmp/.muster-1"))?;
    fs::write(guest.path("tmp/.muster-1/token"), "of an earlier try")?;
    let host = look(&guest, &server.url())?;
    assert_eq!(
        (host.arch.as_str(), host.init.as_str()),
        (std::env::consts::ARCH, "systemd")
    );
    assert_eq!((host.uid, host.fetches, host.reaches_muster), (0, true, Some(true)));
    assert_eq!((host.present, host.work_problem), (None, None));
    assert_eq!(guest.list("tmp/.muster-1")?, [""; 0]);

    let closed = look(&guest, "http://127.0.0.1:9")?;
    assert_eq!(closed.reaches_muster, Some(false));
    let bare = look(&GuestRoot::debian(Client::None)?, &server.url())?;
    assert_eq!((bare.fetches, bare.reaches_muster), (false, None));
    assert_eq!(look(&GuestRoot::alpine()?, &server.url())?.init, "openrc");
    Ok(())
}
