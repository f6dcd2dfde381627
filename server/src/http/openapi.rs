//! The description of the API, made from the handlers' annotations. What all operations share (problem answers, security)
//! is added here, so that handlers state only what is theirs.

use std::collections::BTreeMap;

use axum::http::Method;
use utoipa::PartialSchema as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, ResponseBuilder, Schema};

use super::access::{Class, EXTENSION};
use super::codes::CODES;
use super::problem::{FieldProblem, MEDIA_TYPE, ProblemDocument};
use super::session_cookie;

/// One operation of the description.
pub struct Described<'a> {
    /// Its path template.
    pub path: &'a str,
    /// Its method.
    pub method: Method,
    /// The rest.
    pub operation: &'a Operation,
}

impl Described<'_> {
    /// Who may call it; `None` when nobody has decided.
    pub fn class(&self) -> Option<Class> {
        Class::parse(self.operation.extensions.as_ref()?.get(EXTENSION)?.as_str()?)
    }
}

/// All operations of the description.
pub fn operations(api: &OpenApi) -> impl Iterator<Item = Described<'_>> {
    api.paths.paths.iter().flat_map(|(path, item)| {
        [
            (Method::GET, &item.get),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
            (Method::PATCH, &item.patch),
            (Method::DELETE, &item.delete),
        ]
        .into_iter()
        .filter_map(move |(method, operation)| {
            Some(Described {
                path,
                method,
                operation: operation.as_ref()?,
            })
        })
    })
}

/// The frame that the routes fill in.
pub(super) fn frame() -> OpenApi {
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Muster")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .build(),
        )
        .build()
}

const DESCRIPTION: &str = "One server that keeps every guest of your Proxmox clusters up to date. Errors are problem \
    documents (RFC 9457) whose `code` docs/errors.md explains. Lists are `{items, next}`: send `next` back as `cursor`. \
    `x-muster-role` names the smallest role that may call an operation.";

/// Adds to every operation what all of them share.
pub(super) fn complete(mut api: OpenApi) -> OpenApi {
    let components = api.components.get_or_insert_default();
    components.schemas.insert("Problem".to_owned(), problem_schema());
    components
        .schemas
        .insert("FieldProblem".to_owned(), FieldProblem::schema());
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(session_cookie::NAME)));
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.security_schemes.insert("session".to_owned(), cookie.into());
    components.security_schemes.insert("token".to_owned(), bearer.into());
    name_page_items(&mut components.schemas);
    for item in api.paths.paths.values_mut() {
        for operation in operations_mut(item) {
            let class = operation
                .extensions
                .as_ref()
                .and_then(|all| all.get(EXTENSION))
                .and_then(|class| class.as_str())
                .and_then(Class::parse);
            secure(operation, class);
            add_problems(operation);
        }
    }
    api
}

/// With all codes listed, so that clients can tell whether they know each.
fn problem_schema() -> RefOr<Schema> {
    let mut schema = ProblemDocument::schema();
    if let RefOr::T(Schema::Object(problem)) = &mut schema
        && let Some(RefOr::T(Schema::Object(code))) = problem.properties.get_mut("code")
    {
        code.enum_values = Some(CODES.iter().map(|(code, _)| (*code).into()).collect());
    }
    schema
}

/// Generic schemas come with their parameter written out; clients want the item's own name there.
fn name_page_items(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let names: Vec<String> = schemas.keys().cloned().collect();
    for (name, schema) in schemas {
        let Some(item) = name
            .strip_prefix("Page_")
            .filter(|item| names.iter().any(|name| name == item))
        else {
            continue;
        };
        if let RefOr::T(Schema::Object(page)) = schema
            && let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items")
        {
            items.items = ArrayItems::RefOrSchema(Box::new(RefOr::Ref(Ref::from_schema_name(item))));
        }
    }
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
}

fn secure(operation: &mut Operation, class: Option<Class>) {
    operation.security = Some(match class {
        Some(Class::Public) => Vec::new(),
        _ => ["session", "token"]
            .map(|name| SecurityRequirement::new::<_, [String; 0], String>(name, []))
            .into(),
    });
}

fn add_problems(operation: &mut Operation) {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    let problem = ResponseBuilder::new()
        .description("What went wrong, as a problem document")
        .content(MEDIA_TYPE, content)
        .build();
    operation
        .responses
        .responses
        .insert("default".to_owned(), problem.into());
}
