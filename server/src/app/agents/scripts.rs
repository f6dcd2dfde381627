//! What an installation fetches, and under which address.

use muster_packages::install::{AgentDownload, GuestInstall, Script, UnsafeText, guest_script, node_script};
use url::Url;

use crate::agents::{Program, ProgramError};
use crate::app::{App, Error};

/// A script that a pasted line fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallScript {
    /// The last part of its address: the beginning of its checksum.
    pub id: String,
    /// Where it is.
    pub url: String,
    /// SHA-256 of its text, hex.
    pub sha256: String,
    /// POSIX sh.
    pub text: String,
}

/// The scripts that are current. They change with the agent programs and the address of Muster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallScripts {
    /// For the shell of one guest.
    pub guest: InstallScript,
    /// For the shell of a node, for many guests at once.
    pub node: InstallScript,
    /// What they are made of.
    pub made_of: GuestInstall,
}

impl App {
    /// The agent programs that guests can fetch, at least one.
    pub async fn agent_programs(&self) -> Result<Vec<Program>, Error> {
        self.agents.programs.all().await.map_err(|error| {
            if let ProgramError::Unreadable { source, .. } = &error {
                tracing::error!(%error, cause = %source, "an agent program cannot be read");
            }
            Error::Unavailable {
                code: "agent_program_missing",
                detail: error.to_string(),
            }
        })
    }

    /// SHA-256 of the certificate that agents at this address must accept alone. None where the well-known authorities vouch
    /// for it, where there is no TLS, and where a proxy does it: one is named, and the address is not our own port.
    fn pinned_certificate(&self, agent_url: &Url) -> Option<String> {
        let own_port = agent_url.port_or_known_default() == Some(self.config.listen.port());
        let behind_proxy = !self.config.trusted_proxies.is_empty() && !own_port;
        if behind_proxy {
            return None;
        }
        self.agents.certificate.pin(agent_url, self.clock.now())
    }

    /// Whether agents that are installed now would accept one certificate alone, and which.
    pub async fn certificate_of_agents(&self) -> Result<Option<String>, Error> {
        match self.agent_url(&mut self.store.read().await?).await {
            Ok(url) => Ok(self.pinned_certificate(&url)),
            Err(Error::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The scripts as they are now. A conflict when the address of Muster is not set.
    pub async fn install_scripts(&self) -> Result<InstallScripts, Error> {
        let base = self.agent_url(&mut self.store.read().await?).await?;
        let agent_url = base.as_str().trim_end_matches('/').to_owned();
        let programs = self.agent_programs().await?;
        let install = GuestInstall {
            server_key: self.identity().await?.public_key(),
            certificate: self.pinned_certificate(&base),
            agents: programs.iter().map(|program| download(&agent_url, program)).collect(),
            agent_url,
        };
        let scripts = || -> Result<_, UnsafeText> { Ok((guest_script(&install)?, node_script(&install)?)) };
        let (guest, node) = scripts().map_err(|error| unsafe_text(&base, &error))?;
        Ok(InstallScripts {
            guest: served(&install.agent_url, guest),
            node: served(&install.agent_url, node),
            made_of: install,
        })
    }
}

fn download(agent_url: &str, program: &Program) -> AgentDownload {
    AgentDownload {
        arch: program.arch.to_owned(),
        url: format!("{agent_url}/agent/download/{}", program.arch),
        sha256: program.sha256.clone(),
    }
}

fn served(agent_url: &str, script: Script) -> InstallScript {
    const ID_LENGTH: usize = 16;
    let id: String = script.sha256.chars().take(ID_LENGTH).collect();
    InstallScript {
        url: format!("{agent_url}/install/{id}"),
        id,
        sha256: script.sha256,
        text: script.text,
    }
}

fn unsafe_text(base: &Url, error: &UnsafeText) -> Error {
    Error::Conflict {
        code: "agent_url_missing",
        detail: format!(
            "the address {base} cannot stand in an install script ({error}): set another one in the settings"
        ),
    }
}
