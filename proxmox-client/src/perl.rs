//! Reading JSON that was written by Perl.
//!
//! PVE's numbers may arrive as text and its texts as numbers, booleans are `0`, `1`, `"0"`, `"1"`, `""` or real ones,
//! and a field without a value is missing or `null`. These readers accept all of that and nothing beyond.
//! Use on a field: `#[serde(default, deserialize_with = "perl::maybe")]` for an `Option`, `perl::sure` for a value that
//! has to be there.

use std::fmt;

use serde::de::{self, Deserializer, Unexpected, Visitor};

/// Reads a scalar that may be missing.
pub(crate) fn maybe<'de, D: Deserializer<'de>, T: FromPerl>(deserializer: D) -> Result<Option<T>, D::Error> {
    let scalar = deserializer.deserialize_any(ScalarVisitor)?;
    T::from_perl(&scalar).map_err(|Mismatch| de::Error::invalid_value(scalar.unexpected(), &T::EXPECTED))
}

/// Reads a scalar that has to be there.
pub(crate) fn sure<'de, D: Deserializer<'de>, T: FromPerl>(deserializer: D) -> Result<T, D::Error> {
    maybe(deserializer)?.ok_or_else(|| de::Error::invalid_type(Unexpected::Option, &T::EXPECTED))
}

/// Reads a flag; a missing or empty one is false, as it is in Perl.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(maybe(deserializer)?.unwrap_or(false))
}

/// A scalar as it stood in the JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
}

impl Scalar {
    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::Unsigned(value) => Unexpected::Unsigned(*value),
            Self::Signed(value) => Unexpected::Signed(*value),
            Self::Float(value) => Unexpected::Float(*value),
            Self::Text(value) => Unexpected::Str(value),
        }
    }
}

/// The scalar says something else than what is read.
pub(crate) struct Mismatch;

/// A type that can be read from any of its Perl forms; `Ok(None)` is an absent value.
pub(crate) trait FromPerl: Sized {
    const EXPECTED: &'static str;
    fn from_perl(scalar: &Scalar) -> Result<Option<Self>, Mismatch>;
}

impl FromPerl for bool {
    const EXPECTED: &'static str = "a boolean: 0, 1 or empty";

    fn from_perl(scalar: &Scalar) -> Result<Option<Self>, Mismatch> {
        match scalar {
            Scalar::Null => Ok(None),
            Scalar::Bool(value) => Ok(Some(*value)),
            Scalar::Unsigned(0) => Ok(Some(false)),
            Scalar::Unsigned(1) => Ok(Some(true)),
            Scalar::Text(text) => match text.as_str() {
                "" | "0" | "false" => Ok(Some(false)),
                "1" | "true" => Ok(Some(true)),
                _ => Err(Mismatch),
            },
            _ => Err(Mismatch),
        }
    }
}

impl FromPerl for String {
    const EXPECTED: &'static str = "a text";

    fn from_perl(scalar: &Scalar) -> Result<Option<Self>, Mismatch> {
        match scalar {
            Scalar::Null => Ok(None),
            Scalar::Text(text) => Ok(Some(text.clone())),
            Scalar::Unsigned(value) => Ok(Some(value.to_string())),
            Scalar::Signed(value) => Ok(Some(value.to_string())),
            Scalar::Float(value) => Ok(Some(value.to_string())),
            Scalar::Bool(_) => Err(Mismatch),
        }
    }
}

impl FromPerl for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_perl(scalar: &Scalar) -> Result<Option<Self>, Mismatch> {
        let value = match scalar {
            Scalar::Null => return Ok(None),
            Scalar::Text(text) if text.is_empty() => return Ok(None),
            Scalar::Text(text) => text.trim().parse().map_err(|_| Mismatch)?,
            Scalar::Unsigned(value) => *value as f64,
            Scalar::Signed(value) => *value as f64,
            Scalar::Float(value) => *value,
            Scalar::Bool(_) => return Err(Mismatch),
        };
        if f64::is_finite(value) {
            Ok(Some(value))
        } else {
            Err(Mismatch)
        }
    }
}

impl FromPerl for i64 {
    const EXPECTED: &'static str = "a whole number";

    fn from_perl(scalar: &Scalar) -> Result<Option<Self>, Mismatch> {
        match scalar {
            Scalar::Signed(value) => Ok(Some(*value)),
            Scalar::Unsigned(value) => i64::try_from(*value).map(Some).map_err(|_| Mismatch),
            Scalar::Text(text) if let Ok(value) = text.trim().parse() => Ok(Some(value)),
            // Perl hands out a computed size or time as a float now and then; its fraction means nothing.
            other => f64::from_perl(other)?.map(whole).transpose(),
        }
    }
}

impl FromPerl for u64 {
    const EXPECTED: &'static str = "a whole number, not negative";

    fn from_perl(scalar: &Scalar) -> Result<Option<Self>, Mismatch> {
        match scalar {
            Scalar::Unsigned(value) => Ok(Some(*value)),
            Scalar::Text(text) if let Ok(value) = text.trim().parse() => Ok(Some(value)),
            other => i64::from_perl(other)?
                .map(|value| u64::try_from(value).map_err(|_| Mismatch))
                .transpose(),
        }
    }
}

impl FromPerl for u32 {
    const EXPECTED: &'static str = "a small whole number, not negative";

    fn from_perl(scalar: &Scalar) -> Result<Option<Self>, Mismatch> {
        u64::from_perl(scalar)?
            .map(|value| u32::try_from(value).map_err(|_| Mismatch))
            .transpose()
    }
}

impl FromPerl for u16 {
    const EXPECTED: &'static str = "a small whole number, not negative";

    fn from_perl(scalar: &Scalar) -> Result<Option<Self>, Mismatch> {
        u64::from_perl(scalar)?
            .map(|value| u16::try_from(value).map_err(|_| Mismatch))
            .transpose()
    }
}

/// The whole part of a float that fits.
fn whole(value: f64) -> Result<i64, Mismatch> {
    let limit = 2f64.powi(63);
    if (-limit..limit).contains(&value) {
        Ok(value.trunc() as i64)
    } else {
        Err(Mismatch)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, a boolean or null")
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(u64::try_from(value).map_or(Scalar::Signed(value), Scalar::Unsigned))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        #[serde(deserialize_with = "sure")]
        vmid: u32,
        #[serde(default, deserialize_with = "maybe")]
        mem: Option<u64>,
        #[serde(default, deserialize_with = "maybe")]
        cpu: Option<f64>,
        #[serde(default, deserialize_with = "maybe")]
        name: Option<String>,
        #[serde(default, deserialize_with = "flag")]
        template: bool,
    }

    fn row(value: serde_json::Value) -> Result<Row, String> {
        serde_json::from_value(value).map_err(|e| e.to_string())
    }

    #[test]
    fn reads_every_form_of_the_same_row() {
        let expected = Row {
            vmid: 100,
            mem: Some(4096),
            cpu: Some(0.5),
            name: Some("1234".to_owned()),
            template: true,
        };
        for value in [
            json!({"vmid": 100, "mem": 4096, "cpu": 0.5, "name": "1234", "template": 1}),
            json!({"vmid": "100", "mem": "4096", "cpu": "0.50", "name": 1234, "template": "1"}),
            json!({"vmid": 100.0, "mem": 4096.7, "cpu": 0.5, "name": "1234", "template": true, "unheard-of": {}}),
        ] {
            assert_eq!(row(value).as_ref(), Ok(&expected));
        }
    }

    #[test]
    fn absent_null_and_empty_are_no_value() {
        let expected = Row {
            vmid: 1,
            mem: None,
            cpu: None,
            name: None,
            template: false,
        };
        for value in [
            json!({"vmid": 1}),
            json!({"vmid": 1, "mem": null, "cpu": null, "name": null, "template": null}),
            json!({"vmid": 1, "mem": "", "cpu": "", "template": ""}),
        ] {
            assert_eq!(row(value).as_ref(), Ok(&expected));
        }
    }

    #[test]
    fn refuses_what_means_something_else() {
        for value in [
            json!({}),
            json!({"vmid": null}),
            json!({"vmid": -1}),
            json!({"vmid": 1, "mem": "4 GiB"}),
            json!({"vmid": 1, "mem": -5}),
            json!({"vmid": 1, "mem": [1]}),
            json!({"vmid": 1, "cpu": "NaN"}),
            json!({"vmid": 1, "name": {"a": 1}}),
            json!({"vmid": 1, "template": 2}),
        ] {
            assert!(row(value.clone()).is_err(), "{value} was read");
        }
    }

    proptest! {
        #[test]
        fn a_number_and_its_text_are_the_same(value in any::<u64>()) {
            let (number, text) = (row(json!({"vmid": 1, "mem": value})), row(json!({"vmid": 1, "mem": value.to_string()})));
            prop_assert_eq!(number.as_ref().map(|r| r.mem), Ok(Some(value)));
            prop_assert_eq!(text, number);
        }

        #[test]
        fn a_float_and_its_text_are_the_same(value in -1e12f64..1e12) {
            let (number, text) = (row(json!({"vmid": 1, "cpu": value})), row(json!({"vmid": 1, "cpu": value.to_string()})));
            prop_assert_eq!(number.as_ref().map(|r| r.cpu), Ok(Some(value)));
            prop_assert_eq!(text, number);
        }

        #[test]
        fn no_scalar_panics(text in ".{0,20}", float in any::<f64>(), signed in any::<i64>()) {
            for scalar in [Scalar::Text(text), Scalar::Float(float), Scalar::Signed(signed), Scalar::Null] {
                let _ = u64::from_perl(&scalar);
                let _ = i64::from_perl(&scalar);
                let _ = u16::from_perl(&scalar);
                let _ = f64::from_perl(&scalar);
                let _ = bool::from_perl(&scalar);
                let _ = String::from_perl(&scalar);
            }
        }
    }
}
