//! Guests that the list leaves out although they exist. PVE leaves out without a word what a token may not see, so a token
//! that loses `VM.Audit` looks like a cluster that loses guests. Whether a number is taken is told to every token.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use muster_store::guests::GuestRow;

use super::Discovery;
use super::details::OVERVIEW_EVERY;
use crate::pve::Seen;

/// Numbers that are asked about in one discovery; the others wait for the next one.
const MOST: usize = 50;

/// What is known of the guests that were there and are not listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unlisted {
    /// Numbers of those that exist.
    pub(super) hidden: BTreeSet<i64>,
    /// Numbers of those of which nobody could be asked yet.
    pub(super) open: BTreeSet<i64>,
}

impl Unlisted {
    /// Whether a guest is not to be taken for gone.
    pub(super) fn keeps(&self, vmid: i64) -> bool {
        self.hidden.contains(&vmid) || self.open.contains(&vmid)
    }
}

/// Finds out about the guests that are not listed. Those that are known to be hidden are asked about now and then only.
/// In doubt a guest exists.
pub(super) async fn find(discovery: &Discovery<'_>, stored: &[GuestRow], seen: &Seen) -> Unlisted {
    let listed: BTreeSet<i64> = seen.guests.iter().map(|guest| guest.vmid).collect();
    let missing = stored.iter().filter(|row| !listed.contains(&row.vmid));
    let again = discovery.is_due(discovery.memory.overview_at(), OVERVIEW_EVERY);
    let (asked, known): (Vec<&GuestRow>, Vec<&GuestRow>) = missing.partition(|row| again || !row.hidden);
    let numbers: Vec<i64> = asked.iter().take(MOST).map(|row| row.vmid).collect();
    let client = discovery.connection.client();
    let answers: Vec<(i64, bool)> = futures::stream::iter(numbers)
        .map(|number| async move {
            let exists = match u32::try_from(number) {
                Ok(vmid) => client.guest_exists(vmid).await,
                Err(_) => Ok(false),
            };
            if let Err(error) = &exists {
                tracing::debug!(%error, guest.vmid = number, "nobody says whether the guest exists");
            }
            (number, exists.unwrap_or(true))
        })
        .buffered(MOST)
        .collect()
        .await;
    let exist = answers.iter().filter(|(_, exists)| *exists).map(|(vmid, _)| *vmid);
    Unlisted {
        hidden: known.iter().map(|row| row.vmid).chain(exist).collect(),
        open: asked.iter().skip(MOST).map(|row| row.vmid).collect(),
    }
}
