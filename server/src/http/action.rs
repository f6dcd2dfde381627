//! What a caller may do with a thing, as it stands in every view: no screen computes it again.

use muster_domain::actions::Action;
use serde::Serialize;
use utoipa::ToSchema;

/// Something one could do, and why not when it cannot be done now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Action)]
pub struct ActionView {
    /// Stable name, such as `install_agent`.
    pub name: &'static str,
    /// Whether it can be done now.
    pub allowed: bool,
    /// Why not.
    pub reason: Option<String>,
}

impl ActionView {
    /// The views of several actions.
    pub fn all(actions: Vec<Action>) -> Vec<ActionView> {
        actions.into_iter().map(ActionView::from).collect()
    }
}

impl From<Action> for ActionView {
    fn from(action: Action) -> ActionView {
        ActionView {
            name: action.name,
            allowed: action.refused.is_none(),
            reason: action.refused,
        }
    }
}
