//! The catalogue against the API descriptions that Proxmox publishes.

use std::collections::BTreeMap;

use proxmox_client::catalogue::{CALLS, Call};

/// What a version of PVE says about a call.
#[derive(Debug)]
struct Fact {
    params: BTreeMap<&'static str, &'static str>,
    needs: &'static str,
}

/// The facts by (major version, method, path).
fn facts() -> BTreeMap<(u8, &'static str, &'static str), Fact> {
    let lines = include_str!("../schema/calls.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1);
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let &[major, method, path, params, needs] = columns.as_slice() else {
                panic!("five columns: {line}")
            };
            let params = params.split(',').filter_map(|param| param.split_once(':')).collect();
            (
                (major.parse().expect("a version"), method, path),
                Fact { params, needs },
            )
        })
        .collect()
}

#[test]
fn every_call_is_in_the_versions_that_it_names_and_in_no_other() {
    let facts = facts();
    for call in CALLS {
        for major in [8, 9] {
            let known = facts.contains_key(&(major, method(call), call.path));
            assert_eq!(known, call.majors.contains(&major), "{} in PVE {major}", call.name);
        }
    }
    let listed = CALLS.iter().map(|call| call.majors.len()).sum::<usize>();
    assert_eq!(facts.len(), listed, "there are facts about calls that nobody makes");
}

#[test]
fn every_parameter_exists_and_takes_what_is_sent() {
    let facts = facts();
    for (call, major, fact) in CALLS.iter().flat_map(|call| facts_of(&facts, call)) {
        for param in call.params {
            let kind = fact.params.get(param).copied().unwrap_or("nothing");
            let expected = match *param {
                "current" => "boolean",
                "limit" | "pid" | "port" | "since" | "start" | "timeout" | "vmid" => "integer",
                "command" => "array",
                "cmode" => "enum(shell|console|tty)",
                "source" => "enum(archive|active|all)",
                _ => "string",
            };
            assert_eq!(kind, expected, "{param} of {} in PVE {major}", call.name);
        }
    }
}

#[test]
fn every_right_is_the_one_that_pve_checks() {
    let facts = facts();
    for (call, major, fact) in CALLS.iter().flat_map(|call| facts_of(&facts, call)) {
        let rights: Vec<String> = call
            .rights
            .iter()
            .filter(|right| right.majors.contains(&major))
            .map(|right| format!("{} {}", right.path, right.any_of.join("|")))
            .collect();
        let needs = if rights.is_empty() {
            "any user".to_owned()
        } else {
            rights.join(" and ")
        };
        assert_eq!(needs, fact.needs, "{} in PVE {major}", call.name);
    }
}

fn facts_of<'a>(
    facts: &'a BTreeMap<(u8, &'static str, &'static str), Fact>,
    call: &'static Call,
) -> impl Iterator<Item = (&'static Call, u8, &'a Fact)> {
    call.majors
        .iter()
        .filter_map(move |major| Some((call, *major, facts.get(&(*major, method(call), call.path))?)))
}

fn method(call: &Call) -> &'static str {
    match call.method.to_string().as_str() {
        "GET" => "GET",
        "PUT" => "PUT",
        _ => "POST",
    }
}
