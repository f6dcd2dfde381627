//! What people set at run time, by name.

use sqlx::types::Json;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const GET: &str = "SELECT value FROM settings WHERE name = $1";
const PUT: &str =
    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

impl Tx {
    /// The stored value of a setting; `None` when nobody has set it.
    pub async fn setting(&mut self, name: &str) -> Result<Option<serde_json::Value>, StoreError> {
        let value: Option<Json<serde_json::Value>> =
            on!(self, conn => sqlx::query_scalar(GET).bind(name).fetch_optional(conn).await)
                .during("read a setting")?;
        Ok(value.map(|value| value.0))
    }

    /// Stores the value of a setting.
    pub async fn put_setting(&mut self, name: &str, value: &serde_json::Value) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(PUT).bind(name).bind(Json(value)).execute(conn).await.map(drop))
            .during("store a setting")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Store;
    use crate::testing::both;

    both! {
        async fn a_setting_is_replaced(store: &Store) {
            let mut tx = store.begin().await.expect("begins");
            assert_eq!(tx.setting("x").await.expect("reads"), None);
            tx.put_setting("x", &json!({"a": 1})).await.expect("stores");
            tx.put_setting("x", &json!("b")).await.expect("stores");
            assert_eq!(tx.setting("x").await.expect("reads"), Some(json!("b")));
        }
    }
}
