//! Tickets: short texts that prove who somebody is, or that a console was opened for him (PVE/AccessControl.pm).
//!
//! Their form is Proxmox VE's. The signature has the length of one with RSA, but is a keyed digest.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use super::{Figures, Millis};

/// Makes and checks the tickets of one cluster.
#[derive(Debug)]
pub(crate) struct Tickets {
    secret: [u8; 32],
}

/// Seconds that a login lasts.
const LOGIN_LASTS: i64 = 2 * 3600;
/// Seconds that a console waits for its ticket.
const CONSOLE_LASTS: i64 = 40;
/// Seconds by which clocks of nodes may differ.
const CLOCKS_DIFFER: i64 = 300;
const CONSOLE_CLOCKS_DIFFER: i64 = 20;

impl Tickets {
    /// The tickets of the cluster with these figures.
    pub(crate) fn of(figures: Figures) -> Tickets {
        Tickets {
            secret: Sha256::digest(figures.uuid(60)).into(),
        }
    }

    /// A ticket for a console: `PVEVNC:6B0114EB::…`. It holds for one user, guest and port.
    pub(crate) fn console(&self, user: &str, path: &str, port: u16, now: Millis) -> String {
        self.signed("PVEVNC", now, &[user, path, &port.to_string()])
    }

    /// Whether that is such a ticket, and still young enough.
    pub(crate) fn is_console(&self, ticket: &str, user: &str, path: &str, port: u16, now: Millis) -> bool {
        let age = age(ticket.split(':').nth(1), now);
        age.is_some_and(|age| (-CONSOLE_CLOCKS_DIFFER..=CONSOLE_LASTS).contains(&age.seconds))
            && age.is_some_and(|age| ticket == self.console(user, path, port, age.made))
    }

    /// A ticket for a user who has logged in: `PVE:ops@pve:6B0118CE::…`.
    pub(crate) fn login(&self, user: &str, now: Millis) -> String {
        self.signed(&format!("PVE:{user}"), now, &[])
    }

    /// Who shows that ticket, if it is one and has not expired.
    pub(crate) fn user_of(&self, ticket: &str, now: Millis) -> Option<String> {
        let (user, rest) = ticket.strip_prefix("PVE:")?.split_once(':')?;
        let age = age(rest.split(':').next(), now)?;
        let is_young = (-CLOCKS_DIFFER..=LOGIN_LASTS).contains(&age.seconds);
        (is_young && ticket == self.login(user, age.made)).then(|| user.to_owned())
    }

    /// What has to stand beside the ticket in requests that change something: `6B0118CE:…`.
    pub(crate) fn csrf(&self, user: &str, now: Millis) -> String {
        let time = time(now);
        let digest = self.digest(0, &format!("csrf {user} {time}"));
        format!("{time}:{}", STANDARD_NO_PAD.encode(digest))
    }

    /// Whether that is what has to stand beside the ticket of the user.
    pub(crate) fn is_csrf(&self, token: &str, user: &str, now: Millis) -> bool {
        let age = age(token.split(':').next(), now);
        age.is_some_and(|age| {
            (-CLOCKS_DIFFER..=LOGIN_LASTS).contains(&age.seconds) && token == self.csrf(user, age.made)
        })
    }

    fn signed(&self, what: &str, now: Millis, holds_for: &[&str]) -> String {
        let text = format!("{what}:{}", time(now));
        let signature: Vec<u8> = (0..8)
            .flat_map(|part| self.digest(part, &format!("{text} {}", holds_for.join(" "))))
            .collect();
        format!("{text}::{}", STANDARD.encode(signature))
    }

    fn digest(&self, part: u8, text: &str) -> [u8; 32] {
        let hash = Sha256::new().chain_update(self.secret).chain_update([part]);
        hash.chain_update(text).finalize().into()
    }
}

/// How old something is, and when it was made.
#[derive(Clone, Copy)]
struct Age {
    seconds: i64,
    made: Millis,
}

fn age(time: Option<&str>, now: Millis) -> Option<Age> {
    let made = u64::from_str_radix(time?, 16).ok()?;
    let seconds = i64::try_from(now / 1000).ok()? - i64::try_from(made).ok()?;
    Some(Age {
        seconds,
        made: made * 1000,
    })
}

fn time(now: Millis) -> String {
    format!("{:08X}", now / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Millis = 1_795_232_000_000;

    fn tickets() -> Tickets {
        Tickets::of(Figures::of(1, "lab"))
    }

    #[test]
    fn a_console_ticket_holds_for_one_user_guest_port_and_minute() {
        let tickets = tickets();
        let ticket = tickets.console("ops@pve!full", "/vms/100", 5900, START);
        assert_eq!(ticket.len(), 361, "{ticket}");
        let is = |user, path, port, now| tickets.is_console(&ticket, user, path, port, now);
        assert!(is("ops@pve!full", "/vms/100", 5900, START + 40_000));
        assert!(!is("ops@pve!full", "/vms/100", 5900, START + 41_000));
        assert!(!is("ops@pve", "/vms/100", 5900, START));
        assert!(!is("ops@pve!full", "/vms/101", 5900, START));
        assert!(!is("ops@pve!full", "/vms/100", 5901, START));
        assert!(!tickets.is_console("PVEVNC:nonsense", "ops@pve!full", "/vms/100", 5900, START));
    }

    #[test]
    fn a_login_lasts_two_hours() {
        let tickets = tickets();
        let (ticket, csrf) = (tickets.login("ops@pve", START), tickets.csrf("ops@pve", START));
        assert_eq!(csrf.len(), 52);
        let hours = |hours: u64| START + hours * 3_600_000;
        assert_eq!(tickets.user_of(&ticket, hours(2)).as_deref(), Some("ops@pve"));
        assert_eq!(tickets.user_of(&ticket, hours(3)), None);
        assert_eq!(tickets.user_of(&ticket.replace("ops", "adm"), START), None);
        assert!(tickets.is_csrf(&csrf, "ops@pve", hours(2)));
        assert!(!tickets.is_csrf(&csrf, "adm@pve", START) && !tickets.is_csrf(&csrf, "ops@pve", hours(3)));
    }
}
