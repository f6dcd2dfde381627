//! Parameters from the query and the body.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::answer::Answer;
use crate::schema::RawParams;

/// Reads `a=1&b=2`.
pub(super) fn of_form(text: &str) -> RawParams {
    let mut params = RawParams::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        params.entry(decoded(name)).or_default().push(decoded(value));
    }
    params
}

/// Reads a body by its content type.
pub(super) fn of_body(content_type: &str, body: &[u8]) -> Result<RawParams, Answer> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    match kind {
        "application/x-www-form-urlencoded" => Ok(of_form(&String::from_utf8_lossy(body))),
        "application/json" => of_json(body),
        _ => Err(Answer::plain(
            506,
            &format!("upload 'Content-Type '{content_type}' not implemented"),
        )),
    }
}

fn of_json(body: &[u8]) -> Result<RawParams, Answer> {
    let place = "/usr/share/perl5/PVE/APIServer/AnyEvent.pm line";
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Answer::plain(500, &format!("malformed JSON string, {error} at {place} 934.\n")))?;
    let Value::Object(object) = value else {
        return Err(Answer::plain(500, &format!("Not a HASH reference at {place} 978.\n")));
    };
    Ok(object.into_iter().map(|(name, value)| (name, texts(value))).collect())
}

fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.into_iter().flat_map(texts).collect(),
        Value::String(text) => vec![text],
        Value::Bool(is_set) => vec![u8::from(is_set).to_string()],
        other => vec![other.to_string()],
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}
