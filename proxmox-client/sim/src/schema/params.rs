//! Parameters of a call, and Proxmox VE's words for what is wrong with them.

use std::collections::BTreeMap;

use crate::world::Release;

/// What a caller sent: name to values (a form may repeat a name).
pub(crate) type RawParams = BTreeMap<String, Vec<String>>;

/// What is wrong, by parameter: the `errors` of a 400.
pub(crate) type Errors = BTreeMap<String, String>;

/// One parameter of a call.
#[derive(Debug)]
pub(crate) struct Param {
    /// Its name; `net[n]` stands for net0, net1 …
    pub(crate) name: &'static str,
    kind: Kind,
    optional: bool,
    only_in: Option<Release>,
}

/// The type of a parameter with its limits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Text {
        longest: Option<usize>,
    },
    Boolean,
    Integer {
        least: Option<f64>,
        most: Option<f64>,
    },
    Number {
        least: Option<f64>,
        most: Option<f64>,
    },
    OneOf(Vec<&'static str>),
    Vmid,
    /// A name such as that of a snapshot.
    ConfigId {
        longest: Option<usize>,
    },
}

/// Checked parameters.
#[derive(Debug, Default)]
pub(crate) struct Params(RawParams);

impl Param {
    /// Reads the notation of `routes.tsv`: `9:name?=integer(0..)`.
    pub(super) fn parse(text: &'static str) -> Param {
        let (only_in, text) = match text.split_at_checked(2) {
            Some(("8:", rest)) => (Some(Release::Pve8), rest),
            Some(("9:", rest)) => (Some(Release::Pve9), rest),
            _ => (None, text),
        };
        let (name, kind) = text.split_once('=').unwrap_or((text, "string"));
        let optional = name.ends_with('?');
        Param {
            name: name.trim_end_matches('?'),
            kind: Kind::parse(kind),
            optional,
            only_in,
        }
    }

    pub(super) fn is_in(&self, release: Release) -> bool {
        self.only_in.is_none_or(|only| only == release)
    }

    /// Whether `name` is this parameter, also as one of a numbered family.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        match self.name.strip_suffix("[n]") {
            Some(family) => {
                let number = name.strip_prefix(family);
                number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            }
            None => self.name == name,
        }
    }

    /// Its type.
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }
}

impl Kind {
    fn parse(text: &'static str) -> Kind {
        let (name, limits) = text
            .split_once('(')
            .map_or((text, ""), |(n, l)| (n, l.trim_end_matches(')')));
        let (least, most) = limits
            .split_once("..")
            .map_or((None, None), |(l, m)| (l.parse().ok(), m.parse().ok()));
        match name {
            "boolean" => Kind::Boolean,
            "integer" => Kind::Integer { least, most },
            "number" => Kind::Number { least, most },
            "enum" => Kind::OneOf(limits.split('|').collect()),
            "vmid" => Kind::Vmid,
            "config-id" => Kind::ConfigId {
                longest: most.map(|m| m as usize),
            },
            _ => Kind::Text {
                longest: most.map(|m| m as usize),
            },
        }
    }

    /// Proxmox VE's complaint about a value, if it is wrong.
    pub(crate) fn complaint(&self, value: &str) -> Option<String> {
        match self {
            Kind::ConfigId { .. } if !is_config_id(value) => {
                Some(format!("invalid format - invalid configuration ID '{value}'\n"))
            }
            Kind::Text { longest: Some(most) } | Kind::ConfigId { longest: Some(most) }
                if value.chars().count() > *most =>
            {
                Some(format!("value may only be {most} characters long"))
            }
            Kind::Text { .. } | Kind::ConfigId { .. } => None,
            Kind::Boolean if matches!(value, "0" | "1") => None,
            Kind::Boolean => Some(format!("type check ('boolean') failed - got '{value}'")),
            Kind::Integer { least, most } => match value.parse::<i64>() {
                Ok(number) => out_of_range(number as f64, *least, *most),
                Err(_) => Some(format!("type check ('integer') failed - got '{value}'")),
            },
            Kind::Number { least, most } => match value.parse::<f64>() {
                Ok(number) => out_of_range(number, *least, *most),
                Err(_) => Some(format!("type check ('number') failed - got '{value}'")),
            },
            Kind::OneOf(words) if words.contains(&value) => None,
            Kind::OneOf(words) => Some(format!(
                "value '{value}' does not have a value in the enumeration '{}'",
                words.join(", ")
            )),
            Kind::Vmid => match value.parse::<i64>() {
                Err(_) => Some(format!("type check ('integer') failed - got '{value}'")),
                Ok(100..=999_999_999) => None,
                Ok(_) => Some("invalid format - value does not look like a valid VM ID\n".to_owned()),
            },
        }
    }
}

/// A letter, then letters, digits, hyphens and underscores: at least two in all.
fn is_config_id(text: &str) -> bool {
    let mut characters = text.chars();
    let begins = characters.next().is_some_and(|first| first.is_ascii_alphabetic());
    begins && text.len() > 1 && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn out_of_range(value: f64, least: Option<f64>, most: Option<f64>) -> Option<String> {
    match (least, most) {
        (Some(least), _) if value < least => Some(format!("value must have a minimum value of {least}")),
        (_, Some(most)) if value > most => Some(format!("value must have a maximum value of {most}")),
        _ => None,
    }
}

impl Params {
    /// Checks what was sent against `expected`. Parameters of the path come in as sent, too.
    pub(crate) fn check<'a>(expected: impl Iterator<Item = &'a Param>, sent: &RawParams) -> Result<Params, Errors> {
        let expected: Vec<&Param> = expected.collect();
        let mut errors = Errors::new();
        let mut checked = BTreeMap::new();
        for (name, values) in sent {
            match expected.iter().find(|param| param.is_named(name)) {
                None => {
                    let text = "property is not defined in schema and the schema does not allow additional properties";
                    errors.insert(name.clone(), text.to_owned());
                }
                Some(param) => match values.iter().find_map(|value| param.kind.complaint(value)) {
                    Some(complaint) => drop(errors.insert(name.clone(), complaint)),
                    None => drop(checked.insert(name.clone(), values.clone())),
                },
            }
        }
        for param in expected {
            if !param.optional && !sent.contains_key(param.name) {
                errors.insert(
                    param.name.to_owned(),
                    "property is missing and it is not optional".to_owned(),
                );
            }
        }
        if errors.is_empty() {
            Ok(Params(checked))
        } else {
            Err(errors)
        }
    }

    /// The value as it was sent; the first one of several.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.first().map(String::as_str)
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value as a number; only for parameters of an integer type.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// Whether a boolean was given and set.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("1")
    }

    /// All names with their (first) values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter_map(|(name, values)| Some((name.as_str(), values.first()?.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(kind: &'static str, value: &str) -> Option<String> {
        Kind::parse(kind).complaint(value)
    }

    #[test]
    fn complaints_are_worded_as_recorded() {
        let integer = complaint("integer(0..)", "xyz").expect("not a number");
        assert_eq!(integer, "type check ('integer') failed - got 'xyz'");
        assert_eq!(
            complaint("integer(16..)", "1").expect("too small"),
            "value must have a minimum value of 16"
        );
        let vmid = complaint("vmid", "1").expect("too small");
        assert_eq!(vmid, "invalid format - value does not look like a valid VM ID\n");
        assert_eq!(
            complaint("boolean", "true").expect("not 0 or 1"),
            "type check ('boolean') failed - got 'true'"
        );
        assert_eq!(complaint("enum(shell|tty)", "tty"), None);
    }

    #[test]
    fn numbered_parameters_need_their_number() {
        let net = Param::parse("net[n]?=string");
        assert!(net.is_named("net0") && net.is_named("net12"));
        assert!(!net.is_named("net") && !net.is_named("netx"));
    }
}
