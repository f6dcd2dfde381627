//! Backup and restore, as one does them with the program.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::program::Place;

/// What is in a backup.
fn unpacked(packed: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_string(&mut text)
        .expect("is compressed text");
    text
}

async fn status(base: &str, token: &str) -> anyhow::Result<u16> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let asked = reqwest::Client::new().get(format!("http://{base}/api/v1/guests"));
    Ok(asked.bearer_auth(token).send().await?.status().as_u16())
}

#[tokio::test]
async fn what_was_backed_up_under_way_serves_again_elsewhere() -> anyhow::Result<()> {
    let old = Place::with_key();
    let mut serving = old.serve(&[]);
    serving.address();
    old.succeeds(&["user", "add", "ada", "--role", "admin", "--no-password"]);
    let token = old.succeeds(&["token", "create", "script", "--role", "viewer"]);
    let folder = old.path("backups");
    fs::create_dir(&folder)?;
    old.succeeds(&["backup", "backups"]);
    old.succeeds(&["user", "add", "too-late", "--no-password"]);

    let file = fs::read_dir(&folder)?.next().expect("one file")?.path();
    assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    let name = file.to_str().expect("is text");
    assert!(old.refused(&["backup", name]).contains("exists already and is kept"));
    let key = fs::read_to_string(old.path("key"))?;
    let text = unpacked(&fs::read(&file)?);
    assert!(
        text.contains("muster_backup") && !text.contains(key.trim()),
        "the key stays out of it"
    );

    let new = Place::empty();
    let said = new.succeeds(&["restore", name]);
    assert!(said.contains("muster doctor"), "{said}");
    fs::copy(old.path("key"), new.path("key"))?;
    let found = new.succeeds(&["doctor"]);
    assert!(found.contains("sealed secrets open"), "{found}");
    let users = new.succeeds(&["user", "list"]);
    assert!(users.contains("ada") && !users.contains("too-late"), "{users}");
    let mut serving = new.serve(&[]);
    assert_eq!(
        status(&serving.address(), token.lines().next().expect("a token")).await?,
        200
    );
    Ok(())
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_refused_and_leaves_nothing() -> anyhow::Result<()> {
    let place = Place::with_key();
    assert!(place.refused(&["backup", "b.gz"]).contains("check its address"));
    assert!(!place.path("b.gz").exists() && !place.path("b.gz.part").exists());

    place.succeeds(&["user", "add", "ada", "--no-password"]);
    place.succeeds(&["backup", "b.gz"]);
    assert!(place.refused(&["restore", "b.gz"]).contains("not empty"));
    assert!(
        place
            .refused(&["restore", "none.gz"])
            .contains("none.gz cannot be opened")
    );

    let packed = fs::read(place.path("b.gz"))?;
    let new = Place::with_key();
    fs::write(new.path("half.gz"), &packed[..packed.len() / 2])?;
    let said = new.refused(&["restore", "half.gz"]);
    assert!(said.contains("nothing was restored from half.gz"), "{said}");
    fs::write(new.path("text"), "something else")?;
    new.refused(&["restore", "text"]);
    fs::write(new.path("whole.gz"), packed)?;
    new.succeeds(&["restore", "whole.gz"]);
    Ok(())
}
