//! API tokens for scripts.

use axum::extract::State;
use axum::http::StatusCode;
use muster_domain::access::Role;
use muster_domain::{Timestamp, TokenId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::app::tokens::{NewToken, Token};
use crate::app::{App, Ctx};
use crate::http::Routes;
use crate::http::extract::{Json, Path};
use crate::http::page::Page;
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// An API token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenView {
    id: TokenId,
    name: String,
    /// What it may do at most; its owner's role is the other limit.
    role: Role,
    /// The name of its owner; null when it was made on the command line.
    owner: Option<String>,
    created_at: Timestamp,
    /// When it ends; null for never.
    expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    last_used_at: Option<Timestamp>,
}

/// A new token.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewToken)]
#[serde(deny_unknown_fields)]
struct NewTokenBody {
    /// What it is for, 1 to 100 characters.
    name: String,
    /// What it may do: at most what you may.
    role: Role,
    /// When it ends; without it, it does not end.
    expires_at: Option<Timestamp>,
}

/// A new token with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
struct CreatedToken {
    token: TokenView,
    /// Send it as `Authorization: Bearer …`.
    secret: String,
}

/// Your tokens; for admins, everybody's.
#[utoipa::path(
    get, path = "/api/v1/tokens", operation_id = "listTokens", tag = "tokens",
    extensions(("x-muster-role" = json!("viewer"))),
    responses((status = 200, body = Page<TokenView>, description = "Tokens, oldest first")),
)]
async fn list(State(app): State<App>, ctx: Ctx) -> Result<Json<Page<TokenView>>, Problem> {
    let tokens = app.tokens(&ctx).await?;
    Ok(Json(Page::whole(tokens.into_iter().map(view).collect())))
}

/// Make a token. Only people can, not tokens.
#[utoipa::path(
    post, path = "/api/v1/tokens", operation_id = "createToken", tag = "tokens",
    extensions(("x-muster-role" = json!("viewer"))),
    request_body = NewTokenBody,
    responses((status = 201, body = CreatedToken, description = "Made; the secret is shown this once")),
)]
async fn create(
    State(app): State<App>,
    ctx: Ctx,
    Json(body): Json<NewTokenBody>,
) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    let new = NewToken {
        name: body.name,
        role: body.role,
        expires_at: body.expires_at,
        owner: None,
    };
    let (token, secret) = app.create_token(&ctx, new).await?;
    let created = CreatedToken {
        token: view(token),
        secret: secret.to_string(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// End a token at once. Admins end any, others their own.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", operation_id = "revokeToken", tag = "tokens",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = TokenId, Path, description = "The token")),
    responses((status = 204, description = "Ended")),
)]
async fn revoke(State(app): State<App>, ctx: Ctx, Path(id): Path<TokenId>) -> Result<StatusCode, Problem> {
    app.revoke_token(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(token: Token) -> TokenView {
    TokenView {
        id: token.id,
        name: token.name,
        role: token.role,
        owner: token.owner,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
    }
}
