//! Reading a password: typed without being shown, or one line from a pipe.

use std::io::{BufRead as _, IsTerminal as _, Write as _, stdin, stdout};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Asks for a password.
pub(super) fn read() -> anyhow::Result<Zeroizing<String>> {
    if !stdin().is_terminal() {
        return line();
    }
    print!("Password: ");
    stdout().flush()?;
    let _hidden = Hidden::start()?;
    let typed = line();
    println!();
    typed
}

fn line() -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    stdin()
        .lock()
        .read_line(&mut text)
        .context("the password cannot be read from standard input")?;
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(text)
}

/// While this lives, the terminal does not show what is typed.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn start() -> anyhow::Result<Hidden> {
        let before = tcgetattr(stdin()).context("the terminal does not say how it is set")?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Flush, &hidden)
            .context("the terminal cannot be kept from showing the password")?;
        Ok(Hidden { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that has gone needs no restoring.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}
