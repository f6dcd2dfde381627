//! The list of guests over all clusters: filtered, in pages, by name.

use muster_domain::{ClusterId, GuestId, NodeId};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::guests::{GuestRow, guest_rows};
use crate::tx::{Tx, on};

/// The condition all texts below share; parameters $1 to $12.
macro_rules! filter {
    () => {
        concat!(
            " WHERE g.gone_at IS NULL",
            " AND ($1 IS NULL OR g.cluster_id = $1) AND ($2 IS NULL OR g.node_id = $2)",
            " AND ($3 IS NULL OR g.node_id IN (SELECT o.id FROM proxmox_nodes o WHERE o.name = $3))",
            " AND ($4 IS NULL OR g.kind = $4) AND ($5 IS NULL OR g.status = $5)",
            " AND ($6 IS NULL OR g.agent_state = $6) AND ($7 IS NULL OR g.reach_best = $7)",
            " AND ($8 IS NULL OR g.updates_state = $8) AND COALESCE(g.updates_total, 0) >= $9",
            " AND COALESCE(g.updates_security, 0) >= $10",
            " AND ($11 IS NULL OR (';' || g.tags || ';') LIKE $11 ESCAPE '!')",
            " AND ($12 IS NULL OR lower(g.name) LIKE $12 ESCAPE '!' OR g.addresses LIKE $12 ESCAPE '!'",
            " OR ('%' || CAST(g.vmid AS TEXT) || '%') = $12)"
        )
    };
}

const PAGE: &str = guest_rows!(
    filter!(),
    " AND (g.name, g.id) > ($13, $14) ORDER BY g.name, g.id LIMIT $15"
);
const COUNT: &str = concat!("SELECT COUNT(*) FROM guests g", filter!());

/// Which guests. `None` and zero mean all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuestFilter {
    /// Of this cluster.
    pub cluster: Option<ClusterId>,
    /// On this node.
    pub node: Option<NodeId>,
    /// On a node of this name.
    pub node_name: Option<String>,
    /// `lxc` or `qemu`.
    pub kind: Option<String>,
    /// Of this status.
    pub status: Option<String>,
    /// With an agent in this state.
    pub agent: Option<String>,
    /// Whose best way in is this.
    pub reach: Option<String>,
    /// Whose updates are in this state.
    pub updates: Option<String>,
    /// With at least so many updates that wait.
    pub least_updates: i64,
    /// With at least so many security updates that wait.
    pub least_security: i64,
    /// With this tag.
    pub tag: Option<String>,
    /// Part of its name or of an address, or its number.
    pub text: Option<String>,
}

/// Binds $1 to $12. A macro, since the type of a query differs by driver.
macro_rules! bind_filter {
    ($query:expr, $filter:ident) => {
        $query
            .bind($filter.cluster.map(|id| id.0))
            .bind($filter.node.map(|id| id.0))
            .bind(&$filter.node_name)
            .bind(&$filter.kind)
            .bind(&$filter.status)
            .bind(&$filter.agent)
            .bind(&$filter.reach)
            .bind(&$filter.updates)
            .bind($filter.least_updates)
            .bind($filter.least_security)
            .bind($filter.tag.as_ref().map(|tag| format!("%;{};%", literal(tag))))
            .bind(
                $filter
                    .text
                    .as_ref()
                    .map(|text| format!("%{}%", literal(&text.to_lowercase()))),
            )
    };
}
impl Tx {
    /// Guests by name, those after (`name`, id), at most `limit`.
    pub async fn guests_page(
        &mut self,
        filter: &GuestFilter,
        after: Option<(&str, GuestId)>,
        limit: i64,
    ) -> Result<Vec<GuestRow>, StoreError> {
        // Every name and id is greater than these two, so the first page needs no text of its own.
        let (name, id) = after.map_or(("", Uuid::nil()), |(name, id)| (name, id.0));
        on!(self, conn => bind_filter!(sqlx::query_as(PAGE), filter)
            .bind(name)
            .bind(id)
            .bind(limit)
            .fetch_all(conn)
            .await)
        .during("list guests")
    }

    /// How many guests there are.
    pub async fn guests_count(&mut self, filter: &GuestFilter) -> Result<i64, StoreError> {
        on!(self, conn => bind_filter!(sqlx::query_scalar(COUNT), filter).fetch_one(conn).await).during("count guests")
    }
}

/// Text that LIKE takes as it stands.
pub(crate) fn literal(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::guests::GuestUpdates;
    use crate::testing::{both, fleet};

    async fn three_guests(store: &Store) {
        let written: Result<(), StoreError> = crate::write!(store, tx => {
            tx.insert_cluster(&fleet::cluster(1, "a")).await?;
            tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
            tx.insert_node(&fleet::node(3, 1, "pve2")).await?;
            let mut gone = fleet::guest(13, 1, 2, 103);
            gone.gone_at = Some(1);
            let mut other = fleet::guest(12, 1, 3, 102);
            other.name = "Nextcloud_1".to_owned();
            other.tags = "db".to_owned();
            other.kind = "qemu".to_owned();
            other.status = "stopped".to_owned();
            other.addresses = "192.0.2.77 2001:db8::7".to_owned();
            for guest in [&fleet::guest(10, 1, 2, 100), &fleet::guest(11, 1, 2, 101), &other, &gone] {
                tx.insert_guest(guest).await?;
            }
            let updates = GuestUpdates {
                state: "fresh",
                total: Some(3),
                security: Some(1),
                scanned_at: Some(1),
                reason: None,
                reboot_required: None,
            };
            tx.set_guest_updates(GuestId(Uuid::from_u128(10)), &updates).await
        });
        written.expect("adds");
    }

    async fn numbers(store: &Store, filter: GuestFilter) -> Vec<i64> {
        let mut tx = store.read().await.expect("reads");
        let page = tx.guests_page(&filter, None, 10).await.expect("reads");
        let count = tx.guests_count(&filter).await.expect("reads");
        assert_eq!(usize::try_from(count).expect("small"), page.len());
        page.iter().map(|guest| guest.vmid).collect()
    }

    both! {
        async fn filters_leave_out_what_does_not_fit(store: &Store) {
            three_guests(store).await;
            let all = GuestFilter::default();
            // Capital letters come first: names are sorted by their bytes on both databases.
            assert_eq!(numbers(store, all.clone()).await, [102, 100, 101]);
            let some = |text: &str| Some(text.to_owned());
            let cluster = Some(ClusterId(Uuid::from_u128(99)));
            assert_eq!(numbers(store, GuestFilter { cluster, ..all.clone() }).await, Vec::<i64>::new());
            let node = Some(NodeId(Uuid::from_u128(3)));
            assert_eq!(numbers(store, GuestFilter { node, ..all.clone() }).await, [102]);
            assert_eq!(numbers(store, GuestFilter { node_name: some("pve1"), ..all.clone() }).await, [100, 101]);
            assert_eq!(numbers(store, GuestFilter { kind: some("qemu"), ..all.clone() }).await, [102]);
            assert_eq!(numbers(store, GuestFilter { status: some("running"), ..all.clone() }).await, [100, 101]);
            assert_eq!(numbers(store, GuestFilter { agent: some("online"), ..all.clone() }).await, Vec::<i64>::new());
            assert_eq!(numbers(store, GuestFilter { reach: some("by_hand"), ..all.clone() }).await, [102, 100, 101]);
            assert_eq!(numbers(store, GuestFilter { updates: some("fresh"), ..all.clone() }).await, [100]);
            assert_eq!(numbers(store, GuestFilter { least_updates: 1, ..all.clone() }).await, [100]);
            assert_eq!(numbers(store, GuestFilter { least_security: 2, ..all.clone() }).await, Vec::<i64>::new());
            assert_eq!(numbers(store, GuestFilter { tag: some("web"), ..all.clone() }).await, [100, 101]);
            assert_eq!(numbers(store, GuestFilter { tag: some("we"), ..all.clone() }).await, Vec::<i64>::new());
            assert_eq!(numbers(store, GuestFilter { text: some("NEXT"), ..all.clone() }).await, [102]);
            assert_eq!(numbers(store, GuestFilter { text: some("d_1"), ..all.clone() }).await, [102]);
            assert_eq!(numbers(store, GuestFilter { text: some("t_1"), ..all.clone() }).await, Vec::<i64>::new());
            assert_eq!(numbers(store, GuestFilter { text: some("2.77"), ..all.clone() }).await, [102]);
            assert_eq!(numbers(store, GuestFilter { text: some("101"), ..all }).await, [101]);
        }

        async fn pages_follow_each_other(store: &Store) {
            three_guests(store).await;
            let mut tx = store.read().await.expect("reads");
            let filter = GuestFilter::default();
            let first = tx.guests_page(&filter, None, 2).await.expect("reads");
            let last = first.last().expect("two");
            let rest = tx.guests_page(&filter, Some((&last.name, GuestId(last.id))), 2).await.expect("reads");
            let numbers: Vec<i64> = first.iter().chain(&rest).map(|guest| guest.vmid).collect();
            assert_eq!(numbers, [102, 100, 101]);
        }
    }
}
