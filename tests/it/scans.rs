//! Scans of systems with other package managers than apt, without an agent, from the guest to the lists.

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::clusters::guest;
use crate::harness::{Muster, homelab_with_exec};

#[tokio::test(flavor = "multi_thread")]
async fn alpine_and_arch_guests_are_counted_and_their_packages_listed() -> Result<()> {
    let (sim, muster) = (homelab_with_exec()?, Muster::start().await?);
    let cluster = muster.add(&sim.clusters()[0]).await?;
    let tree = muster.tree(&cluster).await?;
    let ids: Vec<Value> = [103, 104, 204]
        .iter()
        .map(|vmid| Ok(guest(&tree, *vmid)?["id"].clone()))
        .collect::<Result<_>>()?;
    let asked = muster
        .post("/api/v1/guests/bulk-scan", &json!({ "guests": ids }))
        .await?;
    let job = muster.ended(&asked.expect(StatusCode::ACCEPTED)?["job"]).await?;
    let targets = muster.targets(&job).await?;

    let alpine = of(&muster, &ids[0], "").await?["updates"].clone();
    assert_eq!(
        (&alpine["state"], &alpine["total"], &alpine["security"]),
        (&json!("fresh"), &json!(2), &json!(1)),
        "{:?}",
        targets["alpine-proxy"]
    );
    let updates = of(&muster, &ids[0], "/updates").await?;
    let nginx = &updates["items"][0];
    assert_eq!(
        (&nginx["source"], &nginx["name"], &nginx["to"], &nginx["fixes"]),
        (
            &json!("apk"),
            &json!("nginx"),
            &json!("1.28.0-r4"),
            &json!(["CVE-2099-0001"])
        ),
        "{updates}"
    );

    // The machine has dnf or not: in this guest it is hidden, and that is said.
    let fedora = of(&muster, &ids[1], "").await?["updates"].clone();
    assert_eq!(
        (&fedora["state"], &fedora["total"]),
        (&json!("unsupported"), &Value::Null)
    );

    let arch = of(&muster, &ids[2], "").await?["updates"].clone();
    if std::path::Path::new("/usr/bin/pacman").exists() {
        assert_eq!(
            (&arch["state"], &arch["total"], &arch["security"]),
            (&json!("fresh"), &json!(1), &Value::Null),
            "what pacman does not say is unknown and not 0: {:?}",
            targets["arch-lab"]
        );
    } else {
        assert_eq!((&arch["state"], &arch["total"]), (&json!("unsupported"), &Value::Null));
    }

    let packages = muster.get("/api/v1/updates/packages?q=NGI&security=true").await?;
    let package = &packages["items"][0];
    assert_eq!(packages["items"].as_array().context("items")?.len(), 1, "{packages}");
    assert_eq!(
        (
            &package["name"],
            &package["source"],
            &package["guests"],
            &package["security"]
        ),
        (&json!("nginx"), &json!("apk"), &json!(1), &json!(true))
    );
    assert_eq!(package["versions"], json!([{ "version": "1.28.0-r4", "guests": 1 }]));
    let first = muster.get("/api/v1/updates/packages?limit=1").await?;
    let next = first["next"].as_str().context("there is more")?;
    let second = muster
        .get(&format!("/api/v1/updates/packages?limit=1&cursor={next}"))
        .await?;
    assert_ne!(first["items"], second["items"]);
    muster.assert_store_is_clean().await
}

async fn of(muster: &Muster, id: &Value, part: &str) -> Result<Value> {
    let id = id.as_str().context("an id")?;
    muster.get(&format!("/api/v1/guests/{id}{part}")).await
}
