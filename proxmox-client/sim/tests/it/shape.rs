//! Compares the shapes of JSON values: keys and types, not contents.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a value is like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    /// Null where something else may stand, too.
    Null,
    Boolean,
    Number,
    Text,
    /// The shapes that the elements have.
    List(Vec<Shape>),
    Object(BTreeMap<String, Shape>),
}

/// Says how `ours` differs from `recorded`, if it does. Keys in `ignored` (as `key` or `parent.key`) are not compared.
pub(crate) fn difference(recorded: &Value, ours: &Value, ignored: &[&str]) -> Option<String> {
    compare("", &shape(recorded, ignored), &shape(ours, ignored))
}

fn shape(value: &Value, ignored: &[&str]) -> Shape {
    match value {
        Value::Null => Shape::Null,
        Value::Bool(_) => Shape::Boolean,
        Value::Number(_) => Shape::Number,
        Value::String(_) => Shape::Text,
        Value::Array(elements) => {
            let mut shapes: Vec<Shape> = elements.iter().map(|element| shape(element, ignored)).collect();
            shapes.sort();
            shapes.dedup();
            Shape::List(shapes)
        }
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !ignored.contains(&key.as_str()));
            Shape::Object(kept.map(|(key, value)| (key.clone(), shape(value, ignored))).collect())
        }
    }
}

fn compare(at: &str, recorded: &Shape, ours: &Shape) -> Option<String> {
    match (recorded, ours) {
        (Shape::Null, _) | (_, Shape::Null) if !at.is_empty() => None,
        (Shape::List(recorded), Shape::List(ours)) => compare_lists(at, recorded, ours),
        (Shape::Object(recorded), Shape::Object(ours)) => {
            if let Some(key) = recorded.keys().find(|key| !ours.contains_key(*key)) {
                return Some(format!("{at}.{key} is missing in ours"));
            }
            if let Some(key) = ours.keys().find(|key| !recorded.contains_key(*key)) {
                return Some(format!("{at}.{key} is only in ours"));
            }
            recorded
                .iter()
                .find_map(|(key, value)| compare(&format!("{at}.{key}"), value, &ours[key]))
        }
        (recorded, ours) if recorded == ours => None,
        (recorded, ours) => Some(format!("{at} was recorded as {recorded:?}, ours is {ours:?}")),
    }
}

/// Every kind of element in one list must be in the other.
fn compare_lists(at: &str, recorded: &[Shape], ours: &[Shape]) -> Option<String> {
    let fits = |a: &Shape, b: &Shape| compare(&format!("{at}[]"), a, b).is_none();
    let unknown = ours.iter().find(|one| !recorded.iter().any(|other| fits(other, one)));
    if let Some(unknown) = unknown {
        let closest = recorded
            .iter()
            .filter_map(|other| compare(&format!("{at}[]"), other, unknown))
            .collect::<Vec<_>>();
        return Some(format!(
            "{at}: an element of ours was not recorded: {unknown:?} ({})",
            closest.join("; ")
        ));
    }
    let missing = recorded.iter().find(|other| !ours.iter().any(|one| fits(other, one)))?;
    Some(format!("{at}: a recorded kind of element is not in ours: {missing:?}"))
}

#[test]
fn differences_of_keys_and_types_are_found() {
    let recorded = serde_json::json!({ "data": [{ "a": 1, "b": "x" }, { "a": 2 }] });
    let find = |ours: Value| difference(&recorded, &ours, &[]);
    assert_eq!(
        find(serde_json::json!({ "data": [{ "a": 5 }, { "a": 7, "b": "" }] })),
        None
    );
    assert!(
        find(serde_json::json!({ "data": [{ "a": "5" }, { "a": 7, "b": "" }] })).is_some(),
        "other type"
    );
    assert!(
        find(serde_json::json!({ "data": [{ "a": 5 }] })).is_some(),
        "a kind of element is missing"
    );
    assert!(
        find(serde_json::json!({ "data": [{ "a": 5, "c": 1 }, { "a": 1, "b": "" }] })).is_some(),
        "extra key"
    );
}
