//! Scripts that run on while nobody watches.

use std::fmt;
use std::str::FromStr;

use super::nonce::Nonce;
use crate::Error;

/// A script that was started in a container: runs on when the connection is cut, and can be found again by a later
/// session. Its text form is meant to be stored.
///
/// Its files lie in a directory that only root can enter, until they are collected or it is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Job(String);

impl Job {
    pub(super) fn new(nonce: Nonce, number: u32) -> Self {
        Self(format!("{nonce}-{number}"))
    }

    /// The directory of its files.
    pub(super) fn directory(&self) -> String {
        format!("/tmp/.pve-{}", self.0)
    }

    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.directory())
    }

    /// Makes the directory; fails when somebody was there before.
    pub(super) fn prepare(&self) -> String {
        format!("mkdir -m 700 {}", self.directory())
    }

    /// Starts the uploaded script in a session of its own, with nothing to read, and waits until it is there: before,
    /// whoever interrupts our shell would end it as well. The exit code appears at once and whole.
    pub(super) fn start(&self) -> String {
        let d = self.directory();
        format!(
            "cd /;export HOME=/root;setsid sh -c 'sh {d}/script </dev/null >{d}/out 2>{d}/err;echo $? >{d}/end;\
             mv {d}/end {d}/exit' </dev/null >/dev/null 2>&1 & echo $! >{d}/pid;\
             i=0;until [ -e {d}/out ]||[ $i -ge 250 ];do sleep .02;i=$((i+1));done;[ -e {d}/out ]"
        )
    }

    /// Prints the exit code as soon as it is there, `gone` when it never will be, nothing when the script runs on. Ends
    /// within some 5 s, so that a cut connection or a person is noticed early.
    pub(super) fn look(&self) -> String {
        let d = self.directory();
        format!(
            "p=$(cat {d}/pid);i=0;while [ ! -e {d}/exit ]&&kill -0 $p 2>/dev/null&&[ $i -lt 50 ];do sleep .1;\
             i=$((i+1));done;cat {d}/exit 2>/dev/null||kill -0 $p 2>/dev/null||[ -e {d}/exit ]||echo gone"
        )
    }

    /// Ends the script and whatever it has started, politely for 3 s, and removes the files.
    pub(super) fn stop(&self) -> String {
        let d = self.directory();
        format!(
            "{{ p=$(cat {d}/pid);kill -TERM -$p;i=0;while kill -0 -$p&&[ $i -lt 30 ];do sleep .1;i=$((i+1));done;\
             kill -KILL -$p;}} 2>/dev/null;rm -rf {d}"
        )
    }

    pub(super) fn remove(&self) -> String {
        format!("rm -rf {}", self.directory())
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Job {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_ours = text.split_once('-').is_some_and(|(nonce, number)| {
            nonce.len() == 8
                && nonce.bytes().all(|b| b.is_ascii_hexdigit())
                && (1..=9).contains(&number.len())
                && number.bytes().all(|b| b.is_ascii_digit())
        });
        if is_ours {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::invalid(
                "job",
                format!("{text:?} is not the name of a started script"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_nothing_else_does() {
        let job = Job::new(Nonce::new(0xab), 3);
        assert_eq!(job.to_string(), "000000ab-3");
        assert_eq!(job.to_string().parse(), Ok(job));
        for text in [
            "",
            "000000ab",
            "000000ab-",
            "000000ab-x",
            "../../../-1",
            "000000ab-1;id",
            "000000ab-1234567890",
        ] {
            assert!(text.parse::<Job>().is_err(), "{text}");
        }
    }
}
