//! A user of PVE with a password, beside the token: opens consoles on nodes whose packages do not let tokens in.

use muster_domain::ClusterId;
use muster_domain::access::Role;
use muster_domain::rights::Permissions;
use muster_store::Tx;
use muster_store::clusters::ClusterRow;
use zeroize::Zeroizing;

use super::{PATIENCE, cluster};
use crate::app::connections::{LOGIN_PASSWORD, tls};
use crate::app::{App, Ctx, Error, fleet};
use crate::pve::{Connection, Credential, Failure, Login, Settings};

impl App {
    /// Stores a user with its password, sealed, in place of an earlier one. It is tried first.
    pub async fn set_cluster_login(
        &self,
        ctx: &Ctx,
        id: ClusterId,
        user: &str,
        password: Zeroizing<String>,
    ) -> Result<fleet::Cluster, Error> {
        ctx.require(Role::Admin)?;
        let planned = cluster(&mut self.store.read().await?, id).await?;
        let user = user.trim();
        let login = Login::new(user, password.as_str()).map_err(|error| Error::invalid("/user", error.to_string()))?;
        try_login(&planned, login).await?;
        let changed: Result<(), Error> = muster_store::write!(self.store, tx => {
            self.seal.put(tx, id.0, LOGIN_PASSWORD, password.as_bytes()).await?;
            self.put_login(ctx, tx, id, Some(user)).await
        });
        changed?;
        self.cluster(ctx, id).await
    }

    /// Forgets the user and its password.
    pub async fn remove_cluster_login(&self, ctx: &Ctx, id: ClusterId) -> Result<fleet::Cluster, Error> {
        ctx.require(Role::Admin)?;
        let changed: Result<(), Error> = muster_store::write!(self.store, tx => {
            tx.delete_secret(id.0, LOGIN_PASSWORD).await?;
            self.put_login(ctx, tx, id, None).await
        });
        changed?;
        self.cluster(ctx, id).await
    }

    async fn put_login(&self, ctx: &Ctx, tx: &mut Tx, id: ClusterId, user: Option<&str>) -> Result<(), Error> {
        let mut row = cluster(tx, id).await?;
        row.login_user = user.map(str::to_owned);
        row.updated_at = self.clock.now().as_micros();
        tx.save_cluster(&row).await?;
        for guest in tx.guests_of(id).await? {
            fleet::put_reach(tx, &guest).await?;
        }
        let detail = serde_json::json!({ "user": user });
        ctx.audit(
            self,
            tx,
            "cluster.set_login",
            ("cluster", Some(id.0), &row.name),
            detail,
        )
        .await?;
        Ok(fleet::cluster_changed(self, tx, id).await?)
    }
}

/// Signs in with it, and refuses a user that may open no console.
async fn try_login(row: &ClusterRow, login: Login) -> Result<(), Error> {
    let user = login.user().to_owned();
    let connection = Connection::open(Settings {
        endpoints: row.endpoints.iter().filter_map(|text| text.parse().ok()).collect(),
        credential: Credential::Login(login),
        tls: tls(row),
        timeout: PATIENCE,
    })?;
    let told = connection.client().permissions().await.map_err(Failure::from)?;
    match Permissions(told.by_path).allows_anywhere("VM.Console") {
        true => Ok(()),
        false => Err(Failure::new(
            "missing_right",
            format!("{user} lacks VM.Console, so it opens no console. Give it the role of the token."),
        )
        .into()),
    }
}
