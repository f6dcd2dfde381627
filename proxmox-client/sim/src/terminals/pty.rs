//! A pseudo terminal among those of a guest.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::pty::{ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The two ends of a terminal.
pub(super) struct Pty {
    /// Where keys go in and the screen comes out.
    pub(super) master: File,
    /// What a program has as its terminal.
    pub(super) slave: File,
}

/// Makes one in the guest whose first process has this number on this machine.
pub(super) fn open(first_process: u32) -> Result<Pty> {
    let devices = Path::new("/proc").join(first_process.to_string()).join("root/dev/pts");
    let both = || File::options().read(true).write(true).clone();
    let master = both()
        .open(devices.join("ptmx"))
        .context("the guest has no pseudo terminals")?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let number = name.to_str()?.rsplit('/').next().unwrap_or_default().to_owned();
    let slave = open_without_owning(&devices.join(number))?;
    resize(&master, 80, 20)?;
    Ok(Pty { master, slave })
}

/// The simulator may not get the guest's terminal as its own.
fn open_without_owning(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let no_tty = i32::try_from(rustix::fs::OFlags::NOCTTY.bits())?;
    let opened = File::options().read(true).write(true).custom_flags(no_tty).open(path);
    opened.with_context(|| format!("cannot open {}", path.display()))
}

/// Sets the size, of which programs are told.
pub(super) fn resize(master: &File, columns: u16, rows: u16) -> Result<()> {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    Ok(tcsetwinsize(master, size)?)
}
