//! How the systems differ: names, versions, and which programs they have.

use crate::world::Os;

/// What a system says of itself.
pub(super) struct System {
    pub(super) id: &'static str,
    pub(super) id_like: &'static str,
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) version_id: &'static str,
    pub(super) codename: &'static str,
}

/// The facts of a system.
pub(super) fn of(os: Os) -> System {
    let (id, id_like, name, version, version_id, codename) = match os {
        Os::Debian => ("debian", "", "Debian GNU/Linux", "12 (bookworm)", "12", "bookworm"),
        Os::Ubuntu => (
            "ubuntu",
            "debian",
            "Ubuntu",
            "24.04.3 LTS (Noble Numbat)",
            "24.04",
            "noble",
        ),
        Os::Alpine => ("alpine", "", "Alpine Linux", "", "3.22.1", ""),
        Os::Fedora => ("fedora", "", "Fedora Linux", "42 (Container Image)", "42", ""),
        Os::Arch => ("arch", "", "Arch Linux", "", "", ""),
        Os::OpenSuse => ("opensuse-leap", "suse opensuse", "openSUSE Leap", "15.6", "15.6", ""),
    };
    System {
        id,
        id_like,
        name,
        version,
        version_id,
        codename,
    }
}

impl System {
    /// The text of /etc/os-release.
    pub(super) fn os_release(&self) -> String {
        let System {
            id,
            id_like,
            name,
            version,
            version_id,
            codename,
        } = self;
        let pretty = format!("{name} {version}");
        let mut lines = vec![
            format!("PRETTY_NAME=\"{}\"", pretty.trim()),
            format!("NAME=\"{name}\""),
            format!("ID={id}"),
        ];
        let optional = [("ID_LIKE", id_like), ("VERSION", version), ("VERSION_ID", version_id)];
        let optional = optional.into_iter().chain([("VERSION_CODENAME", codename)]);
        lines.extend(
            optional
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| format!("{key}=\"{value}\"")),
        );
        if self.version_id.is_empty() {
            lines.push("BUILD_ID=rolling".to_owned());
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// Whether it is built from Debian packages.
pub(super) fn uses_apt(os: Os) -> bool {
    matches!(os, Os::Debian | Os::Ubuntu)
}

/// Scripted programs, with the first process's script.
pub(super) fn tools(os: Os) -> Vec<(&'static str, &'static str)> {
    let mut tools = vec![
        ("init", include_str!("tools/init.sh")),
        ("keeper", include_str!("tools/keeper.sh")),
        ("getty", include_str!("tools/getty.sh")),
    ];
    match os {
        Os::Alpine => tools.extend([
            ("rc-service", include_str!("tools/rc-service.sh")),
            ("rc-update", include_str!("tools/rc-update.sh")),
            ("apk", include_str!("tools/apk.sh")),
        ]),
        _ => tools.push(("systemctl", include_str!("tools/systemctl.sh"))),
    }
    tools
}

/// Programs of this machine that the system does not have, separated by spaces.
pub(super) fn hidden(os: Os) -> String {
    let mut hidden: Vec<&str> = Vec::new();
    if !uses_apt(os) {
        hidden.extend([
            "apt",
            "apt-cache",
            "apt-get",
            "apt-mark",
            "aptitude",
            "dpkg",
            "dpkg-query",
        ]);
    }
    // The simulator has no package databases for these; the programs would read those of this machine.
    hidden.extend(["dnf", "makepkg", "openrc-run", "rpm", "yum", "zypper"]);
    if os != Os::Arch {
        hidden.push("pacman");
    }
    if os != Os::Alpine {
        hidden.push("apk");
    }
    if os == Os::Alpine {
        hidden.extend(["systemctl", "journalctl"]);
    }
    hidden.join(" ")
}
