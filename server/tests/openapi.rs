//! openapi.yaml is written from the code, and keeps the rules of the house.

use std::collections::BTreeSet;
use std::path::Path;

use muster::http::openapi::operations;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::ParameterIn;

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml")
}

#[test]
fn the_committed_description_is_the_one_of_the_code() -> anyhow::Result<()> {
    let made = muster::http::describe().to_yaml()?;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path(), &made)?;
    }
    let committed = std::fs::read_to_string(path()).unwrap_or_default();
    assert!(
        committed == made,
        "openapi.yaml is not what the code says: run `UPDATE_EXPECT=1 cargo nextest run -p muster openapi`"
    );
    Ok(())
}

#[test]
fn every_operation_keeps_the_rules_of_the_house() {
    let api = muster::http::describe();
    let mut ids = BTreeSet::new();
    let mut wrong = Vec::new();
    for described in operations(&api) {
        let operation = described.operation;
        let mut say = |what: &str| wrong.push(format!("{} {}: {what}", described.method, described.path));
        match &operation.operation_id {
            Some(id) if !ids.insert(id.clone()) => say("its operationId is taken"),
            Some(id) if is_camel_case(id) => {}
            _ => say("its operationId is not camelCase"),
        }
        if operation.tags.as_ref().is_none_or(|tags| tags.len() != 1) {
            say("it has not one tag");
        }
        if operation.summary.as_deref().unwrap_or_default().is_empty() {
            say("it has no summary");
        }
        if operation.security.is_none() {
            say("it does not say who may call it");
        }
        if !operation.responses.responses.contains_key("default") {
            say("it has no problem answer");
        }
        for (status, response) in &operation.responses.responses {
            if matches!(response, RefOr::T(response) if response.description.is_empty()) {
                say(&format!("its answer {status} has no description"));
            }
        }
        let named = described.path.matches('{').count();
        let params = operation.parameters.iter().flatten();
        let told = params.filter(|param| matches!(param, RefOr::T(param) if param.parameter_in == ParameterIn::Path));
        let told = told.count();
        if named != told {
            say("its path parameters are not described");
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_schema_is_used_and_every_used_schema_is_there() -> anyhow::Result<()> {
    let text = muster::http::describe().to_json()?;
    let api: serde_json::Value = serde_json::from_str(&text)?;
    let defined: BTreeSet<String> = api["components"]["schemas"]
        .as_object()
        .map(|all| all.keys().cloned().collect())
        .unwrap_or_default();
    let used: BTreeSet<String> = text
        .split("\"#/components/schemas/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect();
    assert_eq!(
        defined.symmetric_difference(&used).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    Ok(())
}

fn is_camel_case(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(|c| c.is_ascii_alphanumeric())
}
