//! Lists that are read in pages.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Items of one page when the caller does not say.
const USUAL: u32 = 100;
/// Most items of one page.
pub(super) const MOST: u32 = 1000;

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Send it as `cursor` to get the next page; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that is always answered whole.
    pub fn whole(items: Vec<T>) -> Page<T> {
        Page { items, next: None }
    }

    /// The first `limit` of `rows`; when there is one more, `cursor` of the last one that is shown leads on.
    pub fn cut(mut rows: Vec<T>, limit: i64, cursor: impl FnOnce(&T) -> String) -> Page<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Page { items: rows, next }
    }

    /// The same page with each item translated.
    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(view).collect(),
            next: self.next,
        }
    }
}

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// How many items at most: 1 to 1000, 100 by default.
    pub limit: Option<u32>,
}

impl PageQuery {
    /// How many items to answer.
    pub fn limit(&self) -> i64 {
        i64::from(self.limit.unwrap_or(USUAL).clamp(1, MOST))
    }
}
