//! Every operation of the description × everybody who may call.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use muster::http::access::Class;
use muster::http::openapi::operations;
use muster_domain::access::Role;

use crate::harness::TestServer;

const NOBODYS_ID: &str = "01900000-0000-7000-8000-0000000000ff";

/// The template with something in the place of each parameter.
fn filled(template: &str) -> String {
    template
        .split('/')
        .map(|part| if part.starts_with('{') { NOBODYS_ID } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn every_operation_is_open_to_its_class_and_closed_to_the_rest() {
    let server = TestServer::start().await;
    let mut tokens = BTreeMap::new();
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        tokens.insert(role, server.token(role).await);
    }
    let api = muster::http::describe();
    let mut wrong = Vec::new();
    for operation in operations(&api) {
        let name = format!("{} {}", operation.method, operation.path);
        let Some(class) = operation.class() else {
            wrong.push(format!("{name} has no x-muster-role"));
            continue;
        };
        for role in [None, Some(Role::Viewer), Some(Role::Operator), Some(Role::Admin)] {
            let expected = match (class, role) {
                (Class::Public, _) => None,
                (Class::Role(_), None) => Some(StatusCode::UNAUTHORIZED),
                (Class::Role(needed), Some(role)) if role.includes(needed) => None,
                (Class::Role(_), Some(_)) => Some(StatusCode::FORBIDDEN),
            };
            let token = role.map(|role| tokens[&role].as_str());
            let status = try_it(&server, operation.method.clone(), operation.path, token).await;
            let got = Some(status).filter(|status| matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN));
            // Public operations answer 401 to wrong credentials, too: only a refusal for the role would be wrong there.
            if got != expected && !(class == Class::Public && status == StatusCode::UNAUTHORIZED) {
                wrong.push(format!("{name} as {role:?}: {status}, expected {expected:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Sends something that no operation accepts, so that the walk changes nothing.
async fn try_it(server: &TestServer, method: Method, template: &str, token: Option<&str>) -> StatusCode {
    let mut call = server.call(method.clone(), &filled(template));
    if method != Method::GET {
        call = call.header("content-type", "application/json").body("[]");
    }
    if let Some(token) = token {
        call = call.bearer(token);
    }
    call.head().await
}

#[tokio::test]
async fn an_ended_token_is_nobody() {
    let server = TestServer::start().await;
    for text in [
        "",
        "mst_",
        "mst_x_y",
        "nonsense",
        &format!("mst_{}_{}", NOBODYS_ID.replace('-', ""), "0".repeat(64)),
    ] {
        let answer = server.get("/api/v1/users").bearer(text).send().await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNAUTHORIZED, "sign_in_needed"),
            "{text}"
        );
    }
}
