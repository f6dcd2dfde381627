//! Reads what Alpine's security database says about the packages that are outdated. It has a file for each release and
//! repository, names source packages, and maps the first fixed version to what it fixes. It says nothing of severities.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Manager, version};

/// The parts of the database that the guest could read.
pub(super) struct SecurityDatabase<'a> {
    /// Fixes by release and repository, e.g. `v3.22/main`, and by source package.
    files: BTreeMap<&'a str, BTreeMap<String, Fixes>>,
}

/// What is fixed, by the first fixed version.
type Fixes = BTreeMap<String, Vec<String>>;

/// What the database says about one update.
pub(super) struct Word<'a> {
    file: &'a str,
    /// The versions that bring fixes.
    pub(super) fixed_in: Vec<String>,
    /// What they fix.
    pub(super) identifiers: Vec<String>,
}

impl Word<'_> {
    /// The words for a person; None when nothing is fixed.
    pub(super) fn evidence(&self) -> Option<String> {
        (!self.fixed_in.is_empty()).then(|| format!("secdb {}: {}", self.file, self.fixed_in.join(", ")))
    }
}

impl<'a> SecurityDatabase<'a> {
    /// Reads `database RELEASE/REPOSITORY` and below it one line for each package, as it stands in the file.
    pub(super) fn parse(body: &'a str) -> Self {
        let mut files: BTreeMap<&str, BTreeMap<String, Fixes>> = BTreeMap::new();
        let mut file = None;
        for line in body.lines() {
            if let Some(name) = line.strip_prefix("database ") {
                file = Some(files.entry(name).or_default());
            } else if let Some(file) = &mut file
                && let Some((name, fixes)) = package(line)
            {
                file.insert(name, fixes);
            }
        }
        Self { files }
    }

    /// What it says about the update of a package from `source` that comes from the repository at `origin`. None when the
    /// database has nothing for that repository.
    pub(super) fn word(&self, origin: &str, source: &str, from: &str, to: &str) -> Option<Word<'a>> {
        let origin = origin.trim_end_matches('/');
        let (file, packages) = self.files.iter().find(|(file, _)| origin.ends_with(*file))?;
        let order = |fixed: &str, other: &str| version::compare(Manager::Apk, fixed, other);
        // What never applied stands under the version 0, which is newer than nothing.
        let fixes = packages.get(source).into_iter().flatten();
        let brought: Vec<(&String, &Vec<String>)> = fixes
            .filter(|(fixed, _)| order(fixed, from).is_gt() && order(fixed, to).is_le())
            .collect();
        let identifiers: BTreeSet<&String> = brought.iter().flat_map(|(_, identifiers)| *identifiers).collect();
        Some(Word {
            file,
            fixed_in: brought.iter().map(|(fixed, _)| (*fixed).clone()).collect(),
            identifiers: identifiers.into_iter().cloned().collect(),
        })
    }
}

/// Reads `{"pkg":{"name":…,"secfixes":{…}}}`; what follows the first object on the line is the rest of the file's syntax.
fn package(line: &str) -> Option<(String, Fixes)> {
    let mut values = serde_json::Deserializer::from_str(line).into_iter::<serde_json::Value>();
    let value = values.next()?.ok()?;
    let package = value.get("pkg")?;
    let name = package.get("name")?.as_str()?.to_owned();
    let fixes = package.get("secfixes")?.as_object()?.iter().map(|(fixed, list)| {
        // An empty list may be an empty object.
        let entries = list.as_array().into_iter().flatten().filter_map(|entry| entry.as_str());
        let words = entries
            .flat_map(str::split_whitespace)
            .filter(|word| is_identifier(word));
        (fixed.clone(), words.map(str::to_owned).collect())
    });
    Some((name, fixes.collect()))
}

/// Whether a word is an identifier like `CVE-2099-0001` and not a remark.
fn is_identifier(word: &str) -> bool {
    word.split_once('-')
        .is_some_and(|(prefix, _)| !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_uppercase()))
}
