//! People's accounts.

use axum::extract::State;
use axum::http::StatusCode;
use muster_domain::access::Role;
use muster_domain::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::app::accounts::{NewUser, User, UserChange};
use crate::app::{App, Ctx};
use crate::http::Routes;
use crate::http::extract::{Json, Path};
use crate::http::page::Page;
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list, add)).routes(routes!(change, remove))
}

/// A person's account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
struct UserView {
    id: UserId,
    /// The name to sign in with; unique without regard to case.
    name: String,
    role: Role,
    /// Whether it can sign in with a password; otherwise by a link only.
    has_password: bool,
    created_at: Timestamp,
    /// When it last signed in.
    signed_in_at: Option<Timestamp>,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewUser)]
#[serde(deny_unknown_fields)]
struct NewUserBody {
    /// 1 to 64 characters.
    name: String,
    role: Role,
    /// At least 10 characters. Without one the account signs in by a link.
    password: Option<String>,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserChange)]
#[serde(deny_unknown_fields)]
struct UserChangeBody {
    name: Option<String>,
    role: Option<Role>,
    /// Ends all sessions of the account.
    password: Option<String>,
}

/// All accounts.
#[utoipa::path(
    get, path = "/api/v1/users", operation_id = "listUsers", tag = "users",
    extensions(("x-muster-role" = json!("admin"))),
    responses((status = 200, body = Page<UserView>, description = "All accounts, oldest first")),
)]
async fn list(State(app): State<App>, ctx: Ctx) -> Result<Json<Page<UserView>>, Problem> {
    let users = app.users(&ctx).await?;
    Ok(Json(Page::whole(users.into_iter().map(view).collect())))
}

/// Add an account.
#[utoipa::path(
    post, path = "/api/v1/users", operation_id = "addUser", tag = "users",
    extensions(("x-muster-role" = json!("admin"))),
    request_body = NewUserBody,
    responses((status = 201, body = UserView, description = "Added")),
)]
async fn add(
    State(app): State<App>,
    ctx: Ctx,
    Json(body): Json<NewUserBody>,
) -> Result<(StatusCode, Json<UserView>), Problem> {
    let new = NewUser {
        name: body.name,
        role: body.role,
        password: body.password,
    };
    Ok((StatusCode::CREATED, Json(view(app.add_user(&ctx, new).await?))))
}

/// Change an account. Everybody may set their own password; names and roles are for admins.
#[utoipa::path(
    patch, path = "/api/v1/users/{id}", operation_id = "changeUser", tag = "users",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = UserId, Path, description = "The account")),
    request_body = UserChangeBody,
    responses((status = 200, body = UserView, description = "As it is now")),
)]
async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<UserId>,
    Json(body): Json<UserChangeBody>,
) -> Result<Json<UserView>, Problem> {
    let change = UserChange {
        name: body.name,
        role: body.role,
        password: body.password,
    };
    Ok(Json(view(app.change_user(&ctx, id, change).await?)))
}

/// Remove an account with its sessions and tokens. The last admin stays.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}", operation_id = "removeUser", tag = "users",
    extensions(("x-muster-role" = json!("admin"))),
    params(("id" = UserId, Path, description = "The account")),
    responses((status = 204, description = "Removed")),
)]
async fn remove(State(app): State<App>, ctx: Ctx, Path(id): Path<UserId>) -> Result<StatusCode, Problem> {
    app.remove_user(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(user: User) -> UserView {
    UserView {
        id: user.id,
        name: user.name,
        role: user.role,
        has_password: user.has_password,
        created_at: user.created_at,
        signed_in_at: user.signed_in_at,
    }
}
