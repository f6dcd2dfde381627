//! Reads `apt-cache policy`: which versions of a package are offered, by which archives, and what these archives call
//! themselves.
//!
//! Only this shows that an offered version includes a security fix that was published for a version before it: the
//! simulated upgrade names the archives of the newest version alone.

use std::collections::BTreeMap;

/// The archives, by the text that stands for them in version tables.
pub(super) struct Sources<'a>(BTreeMap<&'a str, Archive<'a>>);

/// What an archive calls itself.
struct Archive<'a> {
    label: &'a str,
    version: &'a str,
    suite: &'a str,
}

/// The versions of several packages.
pub(super) struct Offers<'a>(BTreeMap<&'a str, Offer<'a>>);

/// The versions of one package, newest first as apt prints them.
#[derive(Default)]
pub(super) struct Offer<'a> {
    installed: &'a str,
    candidate: &'a str,
    versions: Vec<Version<'a>>,
}

struct Version<'a> {
    text: &'a str,
    phased: Option<u8>,
    sources: Vec<&'a str>,
}

impl<'a> Sources<'a> {
    /// Reads the list of package files: ` 500 URL SUITE/PART ARCH Packages`, then `     release v=12,o=…,a=…,l=…`.
    pub(super) fn parse(body: &'a str) -> Self {
        let mut archives = BTreeMap::new();
        let mut source = None;
        for line in body.lines() {
            if let Some(release) = line.strip_prefix("     release ") {
                if let Some(source) = source.take() {
                    archives.insert(source, Archive::parse(release));
                }
            } else if !line.starts_with("     ") {
                source = source_text(line);
            }
        }
        Self(archives)
    }

    /// Whether any list of an archive was ever fetched: the record of what is installed is none.
    pub(super) fn has_lists(&self) -> bool {
        self.0.values().any(|archive| archive.suite != "now")
    }
}

impl<'a> Archive<'a> {
    fn parse(release: &'a str) -> Self {
        let field = |key: &str| {
            release
                .split(',')
                .find_map(|part| part.trim().strip_prefix(key)?.strip_prefix('='))
                .unwrap_or_default()
        };
        Self {
            label: field("l"),
            version: field("v"),
            suite: field("a"),
        }
    }

    /// Whether the archive says of itself that it holds security fixes: Debian by its label, Ubuntu (its extended
    /// maintenance included) and newer Debian by the suite's name.
    fn is_security(&self) -> bool {
        self.label == "Debian-Security" || self.suite.ends_with("-security")
    }

    /// `Label:Version/Suite`, the form in which `apt-get -s` names archives.
    fn name(&self) -> String {
        match (self.label, self.version) {
            ("", "") => self.suite.to_owned(),
            (label, "") => format!("{label}:{}", self.suite),
            (label, version) => format!("{label}:{version}/{}", self.suite),
        }
    }
}

impl<'a> Offers<'a> {
    pub(super) fn parse(body: &'a str) -> Self {
        let mut offers = BTreeMap::new();
        let mut name = None;
        for line in body.lines() {
            if !line.starts_with(' ') {
                name = line.strip_suffix(':');
            } else if let Some(name) = name {
                offers.entry(name).or_insert_with(Offer::default).read(line);
            }
        }
        Self(offers)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Offer<'a>> {
        self.0.get(name)
    }
}

impl<'a> Offer<'a> {
    fn read(&mut self, line: &'a str) {
        if let Some(candidate) = line.strip_prefix("  Candidate: ") {
            self.candidate = candidate;
        } else if let Some(installed) = line.strip_prefix("  Installed: ") {
            self.installed = installed;
        } else if let Some(source) = line.strip_prefix("       ") {
            if let (Some(version), Some(source)) = (self.versions.last_mut(), source_text(source)) {
                version.sources.push(source);
            }
        } else if let Some(version) = line.strip_prefix("     ").or_else(|| line.strip_prefix(" *** ")) {
            self.versions.push(Version::parse(version));
        }
    }

    /// The version that is installed.
    pub(super) fn installed(&self) -> &'a str {
        self.installed
    }

    /// The version that apt would install.
    pub(super) fn candidate(&self) -> &'a str {
        self.candidate
    }

    /// How far the candidate's phased roll-out has come, when it is one.
    pub(super) fn phased(&self) -> Option<u8> {
        self.versions
            .iter()
            .find(|version| version.text == self.candidate)?
            .phased
    }

    /// The archives that offer this version, without the guest's own record of what is installed.
    pub(super) fn origin(&self, sources: &Sources<'_>, version: &str) -> String {
        let mut names: Vec<String> = Vec::new();
        for source in self
            .versions
            .iter()
            .filter(|offered| offered.text == version)
            .flat_map(|offered| &offered.sources)
        {
            if let Some(archive) = sources.0.get(source) {
                let name = archive.name();
                if name != "now" && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names.join(", ")
    }

    /// The word of the security archive that offers the candidate or any version between the installed one and it.
    pub(super) fn security(&self, sources: &Sources<'_>) -> Option<String> {
        let newer = self
            .versions
            .iter()
            .skip_while(|version| version.text != self.candidate)
            .take_while(|version| version.text != self.installed);
        for version in newer {
            let archives = version.sources.iter().filter_map(|source| sources.0.get(source));
            if let Some(archive) = archives.into_iter().find(|archive| archive.is_security()) {
                let word = archive.name();
                return Some(if version.text == self.candidate {
                    word
                } else {
                    format!("{word} ({})", version.text)
                });
            }
        }
        None
    }
}

impl<'a> Version<'a> {
    /// Reads `VERSION PRIORITY`, with ` (phased N%)` behind it when the version is rolled out in phases.
    fn parse(line: &'a str) -> Self {
        let (text, rest) = line.split_once(' ').unwrap_or((line, ""));
        let phased = rest
            .split_once("(phased ")
            .and_then(|(_, rest)| rest.split_once('%')?.0.parse().ok());
        Self {
            text,
            phased,
            sources: Vec::new(),
        }
    }
}

/// What stands behind the priority in ` 500 URL SUITE/PART ARCH Packages`.
fn source_text(line: &str) -> Option<&str> {
    let (priority, source) = line.trim_start().split_once(' ')?;
    priority.parse::<i32>().ok().map(|_| source)
}
