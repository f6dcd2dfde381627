//! What a container's console shows: made to be a shell, put in force by a restart, put back as it was found.

use std::time::Duration;

use proxmox_client::{Client, ConfigView, ConsoleMode, Error};

use super::Obstacle;

/// How long a container has to stop by itself before it is stopped hard.
const SHUTDOWN: Duration = Duration::from_secs(60);
/// How long the whole restart may take. After a crash of its node a container's file system is checked first.
const RESTART: Duration = Duration::from_secs(240);
/// How long PVE may need after the task to show the container as running, and how often it is looked for.
const UP: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a container's console shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What its configuration says for the next start; none when it says nothing, which means `tty`.
    pub configured: Option<String>,
    /// What is in force.
    pub active: String,
}

impl Shown {
    /// Whether it is a shell now.
    pub fn is_shell(&self) -> bool {
        self.active == ConsoleMode::Shell.to_string()
    }
}

/// Looks. A container that PVE works on is an obstacle: nothing may be changed there.
pub async fn look(client: &Client, node: &str, vmid: u32) -> Result<Shown, Obstacle> {
    let current = client.lxc_config(node, vmid, ConfigView::Current).await?;
    if let Some(lock) = &current.lock {
        let detail = format!("Locked by PVE ({lock}): wait until that is over.");
        return Err(Obstacle::closed("locked", detail));
    }
    let pending = client.lxc_config(node, vmid, ConfigView::Pending).await?;
    Ok(Shown {
        configured: pending.cmode.clone(),
        active: current.console_mode().to_owned(),
    })
}

/// Makes it a shell from the next start on.
pub async fn set_shell(client: &Client, node: &str, vmid: u32) -> Result<(), Obstacle> {
    Ok(client.lxc_set_console_mode(node, vmid, ConsoleMode::Shell).await?)
}

/// Restarts the container, which puts the console in force. Answers the task and what it wrote.
pub async fn restart(client: &Client, node: &str, vmid: u32) -> Result<(String, Vec<String>), Obstacle> {
    // PVE shuts a locked container down and then fails to start it.
    if let Some(lock) = client.lxc_status(node, vmid).await?.lock {
        let detail = format!("Locked by PVE ({lock}): wait until that is over.");
        return Err(Obstacle::closed("locked", detail));
    }
    let task = client.lxc_reboot(node, vmid, SHUTDOWN).await?;
    let ended = client.wait_task(&task, RESTART).await;
    let log = client.task_log(&task, 0).await.unwrap_or_default();
    let said: Vec<String> = log.into_iter().map(|line| line.text).collect();
    match ended {
        Ok(_) => {}
        Err(Error::TaskFailed { exit, .. }) => {
            let detail = format!("The container could not be restarted: {exit} (task {task}). Look after it in PVE.");
            return Err(Obstacle::closed("restart_failed", detail));
        }
        Err(error) => return Err(error.into()),
    }
    let begin = tokio::time::Instant::now();
    while !client.lxc_status(node, vmid).await?.is_up() {
        if begin.elapsed() >= UP {
            let detail = "The container was restarted, but does not run: look after it in PVE.";
            return Err(Obstacle::closed("restart_failed", detail));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok((task.to_string(), said))
}

/// Puts the configuration back as it was found. What somebody else has set since then stays.
pub async fn put_back(client: &Client, node: &str, vmid: u32, before: Option<&str>) -> Result<Shown, Obstacle> {
    let shown = look(client, node, vmid).await?;
    if shown.configured.as_deref() != Some("shell") {
        return Ok(shown);
    }
    let mode = match before {
        Some("tty") => Some(ConsoleMode::Tty),
        Some("console") => Some(ConsoleMode::Console),
        Some(_) => return Ok(shown),
        None => None,
    };
    if shown.is_shell() {
        match mode {
            Some(mode) => client.lxc_set_console_mode(node, vmid, mode).await?,
            None => client.lxc_unset_console_mode(node, vmid).await?,
        }
    } else {
        client.lxc_revert_console_mode(node, vmid).await?;
    }
    look(client, node, vmid).await
}
