//! What could be updated over all guests, by package.

use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::guest_list::literal;
use crate::tx::{Tx, on};

/// The updates that both texts below are about; parameters $1 to $3.
macro_rules! filtered {
    ($select:literal, $end:literal) => {
        concat!(
            $select,
            " FROM updates u JOIN guests g ON g.id = u.guest_id WHERE g.gone_at IS NULL",
            " AND ($1 IS NULL OR g.cluster_id = $1) AND ($2 IS NULL OR lower(u.name) LIKE $2 ESCAPE '!')",
            " AND ($3 IS NULL OR u.source = $3)",
            $end
        )
    };
}

const PACKAGES: &str = filtered!(
    "SELECT u.name, u.source, COUNT(DISTINCT u.guest_id) AS guests, \
     SUM(CASE WHEN u.security THEN 1 ELSE 0 END) AS security, \
     SUM(CASE WHEN u.security IS NULL THEN 1 ELSE 0 END) AS silent, \
     MAX(CASE u.severity WHEN 'critical' THEN 4 WHEN 'important' THEN 3 WHEN 'moderate' THEN 2 WHEN 'low' THEN 1 \
     ELSE 0 END) AS severity, SUM(CASE WHEN u.held THEN 1 ELSE 0 END) AS held",
    " AND (u.name, u.source) > ($4, $5) GROUP BY u.name, u.source \
     HAVING SUM(CASE WHEN u.security THEN 1 ELSE 0 END) >= $6 ORDER BY u.name, u.source LIMIT $7"
);
const VERSIONS: &str = filtered!(
    "SELECT u.name, u.source, u.to_version, COUNT(DISTINCT u.guest_id) AS guests",
    " AND (u.name, u.source) >= ($4, $5) AND (u.name, u.source) <= ($6, $7) \
     GROUP BY u.name, u.source, u.to_version ORDER BY u.name, u.source, guests DESC, u.to_version"
);

/// Which packages. `None` means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageFilter {
    /// In guests of this cluster.
    pub cluster: Option<Uuid>,
    /// Part of the name.
    pub text: Option<String>,
    /// Of this source, such as `apt`.
    pub source: Option<String>,
    /// Those with a security update only.
    pub security: bool,
}

/// A package that could be updated in at least one guest.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PackageRow {
    /// Its name.
    pub name: String,
    /// Where its updates come from, such as `apt`.
    pub source: String,
    /// In how many guests.
    pub guests: i64,
    /// How many of the updates are for security.
    pub security: i64,
    /// Of how many nobody says whether they are.
    pub silent: i64,
    /// How grave the gravest is: 0 where nothing is said, then low, moderate, important and critical.
    pub severity: i32,
    /// How many are held.
    pub held: i64,
}

/// One version in which a package is offered.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PackageVersionRow {
    /// The package's name.
    pub name: String,
    /// Where its updates come from.
    pub source: String,
    /// The version it would get.
    pub to_version: String,
    /// In how many guests.
    pub guests: i64,
}

/// Binds $1 to $3. A macro, since the type of a query differs by driver.
macro_rules! bind_filter {
    ($query:expr, $filter:ident) => {
        $query
            .bind($filter.cluster)
            .bind(
                $filter
                    .text
                    .as_ref()
                    .map(|text| format!("%{}%", literal(&text.to_lowercase()))),
            )
            .bind(&$filter.source)
    };
}

impl Tx {
    /// Packages by name and source, those after (`name`, `source`), at most `limit`.
    pub async fn packages_page(
        &mut self,
        filter: &PackageFilter,
        after: (&str, &str),
        limit: i64,
    ) -> Result<Vec<PackageRow>, StoreError> {
        on!(self, conn => bind_filter!(sqlx::query_as(PACKAGES), filter)
            .bind(after.0)
            .bind(after.1)
            .bind(i64::from(filter.security))
            .bind(limit)
            .fetch_all(conn)
            .await)
        .during("list packages")
    }

    /// The versions offered of all packages from `first` to `last`, each (name, source); the most frequent ones first.
    pub async fn package_versions(
        &mut self,
        filter: &PackageFilter,
        first: (&str, &str),
        last: (&str, &str),
    ) -> Result<Vec<PackageVersionRow>, StoreError> {
        on!(self, conn => bind_filter!(sqlx::query_as(VERSIONS), filter)
            .bind(first.0)
            .bind(first.1)
            .bind(last.0)
            .bind(last.1)
            .fetch_all(conn)
            .await)
        .during("list versions of packages")
    }
}

#[cfg(test)]
mod tests {
    use muster_domain::GuestId;

    use super::*;
    use crate::Store;
    use crate::scans::UpdateRow;
    use crate::testing::{both, fleet};

    fn update(source: &str, name: &str, to: &str, security: Option<bool>) -> UpdateRow {
        UpdateRow {
            source: source.to_owned(),
            name: name.to_owned(),
            arch: "amd64".to_owned(),
            from_version: Some("1".to_owned()),
            to_version: to.to_owned(),
            origin: None,
            security,
            evidence: None,
            held: name == "zlib",
            size: None,
            severity: security.filter(|is| *is).map(|_| "important".to_owned()),
            fixes: String::new(),
            phased: None,
            kept_back: false,
            installed_size: None,
        }
    }

    async fn three_guests(store: &Store) {
        let written: Result<(), StoreError> = crate::write!(store, tx => {
            tx.insert_cluster(&fleet::cluster(1, "a")).await?;
            tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
            let mut gone = fleet::guest(12, 1, 2, 102);
            gone.gone_at = Some(1);
            for guest in [&fleet::guest(10, 1, 2, 100), &fleet::guest(11, 1, 2, 101), &gone] {
                tx.insert_guest(guest).await?;
                tx.replace_updates(GuestId(guest.id), &[
                    update("apt", "openssl", if guest.vmid == 100 { "3.1" } else { "3.0" }, Some(guest.vmid != 100)),
                    update("apt", "zlib", "2", Some(false)),
                ]).await?;
            }
            let arch = fleet::guest(13, 1, 2, 103);
            tx.insert_guest(&arch).await?;
            tx.replace_updates(GuestId(arch.id), &[update("pacman", "openssl", "3.5", None)]).await
        });
        written.expect("adds");
    }

    async fn names(store: &Store, filter: PackageFilter) -> Vec<String> {
        let mut tx = store.read().await.expect("reads");
        let rows = tx.packages_page(&filter, ("", ""), 10).await.expect("reads");
        rows.iter().map(|row| format!("{}:{}", row.source, row.name)).collect()
    }

    both! {
        async fn packages_are_counted_over_all_guests(store: &Store) {
            three_guests(store).await;
            let mut tx = store.read().await.expect("reads");
            let all = PackageFilter::default();
            let first = tx.packages_page(&all, ("", ""), 2).await.expect("reads");
            let row = |name: &str, source: &str, guests, security, silent, severity, held| PackageRow {
                name: name.to_owned(), source: source.to_owned(), guests, security, silent, severity, held,
            };
            assert_eq!(first, [
                row("openssl", "apt", 2, 1, 0, 3, 0),
                row("openssl", "pacman", 1, 0, 1, 0, 0),
            ]);
            let rest = tx.packages_page(&all, ("openssl", "pacman"), 2).await.expect("reads");
            assert_eq!(rest, [row("zlib", "apt", 2, 0, 0, 0, 2)]);
            let versions = tx.package_versions(&all, ("openssl", "apt"), ("openssl", "pacman")).await.expect("reads");
            let versions: Vec<(&str, &str, i64)> = versions
                .iter()
                .map(|row| (row.source.as_str(), row.to_version.as_str(), row.guests))
                .collect();
            assert_eq!(versions, [("apt", "3.0", 1), ("apt", "3.1", 1), ("pacman", "3.5", 1)]);
        }

        async fn filters_leave_out_other_packages(store: &Store) {
            three_guests(store).await;
            let all = PackageFilter::default();
            let security = PackageFilter { security: true, ..all.clone() };
            assert_eq!(names(store, security).await, ["apt:openssl"]);
            let text = PackageFilter { text: Some("LIB".to_owned()), ..all.clone() };
            assert_eq!(names(store, text).await, ["apt:zlib"]);
            let source = PackageFilter { source: Some("pacman".to_owned()), ..all.clone() };
            assert_eq!(names(store, source).await, ["pacman:openssl"]);
            let cluster = PackageFilter { cluster: Some(Uuid::from_u128(99)), ..all };
            assert_eq!(names(store, cluster).await, Vec::<String>::new());
        }
    }
}
