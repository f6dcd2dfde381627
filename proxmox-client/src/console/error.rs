//! Why a command could not be run at a console, sorted by what the caller may do about it.

use std::time::Duration;

use crate::Error;

/// Why a console cannot be used, or what went wrong while it was.
///
/// `said` is what the terminal showed last, without control characters. It comes from the guest or the node: show it,
/// but do not trust it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleError {
    /// A call to PVE failed; nothing was typed.
    #[error(transparent)]
    Api(#[from] Error),
    /// The container does not run, or its first process is not there yet: start it, or wait.
    #[error("the container does not run")]
    NotRunning,
    /// PVE works on the container: try again when the lock is gone.
    #[error("the container is locked ({lock})")]
    Locked {
        /// Why, such as `backup`.
        lock: String,
    },
    /// The console shows a login. Set its mode to [`ConsoleMode::Shell`](crate::ConsoleMode::Shell) and restart the
    /// container.
    #[error("the console shows a login and no shell; set the console mode of the container to shell and restart it")]
    LoginRequired,
    /// Somebody has the console open, or a program that waits for a person owns its terminal: try again later.
    #[error("the console is in use{}", by_whom(by.as_deref()))]
    Busy {
        /// A user or token, where PVE tells.
        by: Option<String>,
    },
    /// The node's packages do not let API tokens use the console: update them, or use a [`Login`](crate::Login).
    /// Needed are pve-container 6.1.3 on PVE 9 and 5.3.4 on PVE 8, of April 2026.
    #[error("the packages of this node do not let API tokens use the console ({said}); update them or use a password")]
    TokenNotSupported {
        /// How the console's task ended.
        said: String,
    },
    /// The console closed before it began, although the packages should allow it.
    #[error("the console did not let us in: {said}")]
    NotAccepted {
        /// How the console's task ended, or what came instead of its greeting.
        said: String,
    },
    /// The shell at the console belongs to somebody else than root.
    #[error("the shell at the console runs as user {uid}, not as root")]
    NotRoot {
        /// The number of its user.
        uid: u32,
    },
    /// What is at the console does not answer like a POSIX shell with the usual tools.
    #[error("what is at the console is not a POSIX shell: {said}")]
    UnknownShell {
        /// What it showed.
        said: String,
    },
    /// A person types at the same console: we stop, and touch nothing of theirs. What was
    /// [started](crate::Session::start) runs on.
    #[error("a person is typing at the console")]
    HumanTyping,
    /// The terminal ended: the container was stopped, or the connection was cut. What was
    /// [started](crate::Session::start) runs on while the container does.
    #[error("the console ended: {said}")]
    Ended {
        /// The last words.
        said: String,
    },
    /// What arrived is not what was sent, by its SHA-256: try again.
    #[error("{path} arrived damaged")]
    Damaged {
        /// The file in the container.
        path: String,
    },
    /// A step of our own failed in the container: a tool is missing, a file cannot be read, or the disk is full.
    #[error("{doing} failed in the container with exit code {exit}: {said}")]
    Failed {
        /// The step.
        doing: &'static str,
        /// The exit code of its command.
        exit: i64,
        /// What it printed.
        said: String,
    },
    /// A started script ended without leaving its exit code: it was killed, or the container was restarted.
    #[error("the script was killed before its end")]
    Killed,
    /// There is more output than the client accepts.
    #[error("the output is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// It took too long.
    #[error("not done within {} s", after.as_secs_f32())]
    TimedOut {
        /// The time given.
        after: Duration,
    },
}

fn by_whom(by: Option<&str>) -> String {
    by.map(|by| format!(" by {by}")).unwrap_or_default()
}
