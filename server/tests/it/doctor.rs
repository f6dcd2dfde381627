//! `muster doctor --store`, beside a server and without one.

use muster_domain::ServerId;
use muster_store::secrets::SecretRow;
use muster_store::{Store, StoreError};
use uuid::Uuid;

use crate::program::Place;

const LOOK: [&str; 2] = ["doctor", "--store"];

#[test]
fn nothing_is_made_where_there_is_no_database_and_old_tables_are_left_alone() -> anyhow::Result<()> {
    let place = Place::empty();
    let said = place.refused(&LOOK);
    assert!(said.contains("cannot be opened"), "{said}");
    assert!(!place.path("muster.db").exists());
    std::fs::write(place.path("muster.db"), "")?;
    let said = place.refused(&LOOK);
    assert!(
        said.contains("table version 0") && said.contains("muster migrate"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_sound_store_is_clean_beside_its_server_and_after_it() {
    let place = Place::with_key();
    let mut serving = place.serve(&[]);
    serving.address();
    assert_eq!(place.succeeds(&LOOK), "the store is clean");
    serving.stop();
    assert_eq!(place.succeeds(&LOOK), "the store is clean");
}

#[tokio::test]
async fn a_fault_is_named_with_its_row_and_what_to_do() -> anyhow::Result<()> {
    let place = Place::with_key();
    place.succeeds(&["migrate"]);
    let owner = Uuid::from_u128(77);
    let store = Store::open(&format!("sqlite:{}", place.path("muster.db").display())).await?;
    let planted: Result<(), StoreError> = muster_store::write!(store, tx => {
        let (purpose, key_id) = ("pve_token".to_owned(), "k".to_owned());
        tx.put_secret(&SecretRow { owner, purpose, key_id, sealed: vec![1] }).await?;
        // A server that died in 1970.
        let then = muster_domain::Timestamp::from_micros(1);
        tx.take_server_lease(ServerId(owner), "pve1", then, then).await.map(drop)
    });
    planted?;
    store.close().await;

    let output = place.run(&LOOK, "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout)?;
    for part in [
        "secret_without_owner in secrets. What it belonged to is gone: delete the row",
        "server_lease_lapsed in server_lease. ",
        &format!("{owner}  pve_token"),
        &format!("{owner}  pve1"),
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let complaint = String::from_utf8(output.stderr)?;
    assert!(complaint.contains("2 rows are wrong"), "{complaint}");
    Ok(())
}
