//! Packages that can really be installed. Programs of a guest are read-only, so they bring files to /opt and /etc only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::stanza;
use crate::scenario::Flaw;

/// One version of a package.
pub(super) struct Package<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// Whether it brings a service of its name.
    pub(super) service: bool,
    /// What is wrong with it.
    pub(super) flaw: Option<Flaw>,
}

impl Package<'_> {
    /// Builds it, unless that was done before for another guest. `None` on a machine without dpkg.
    pub(super) fn build(&self, cache: &Path) -> Result<Option<PathBuf>> {
        let flaw = self.flaw.map_or(String::new(), |flaw| format!("_{flaw:?}"));
        let service = if self.service { "_service" } else { "" };
        let name = format!("{}_{}{service}{flaw}", self.name, self.version);
        let built = cache.join(format!("{name}.deb"));
        if built.exists() {
            return Ok(Some(built));
        }
        fs::create_dir_all(cache)?;
        // Other guests may be building the same.
        let folder = tempfile::tempdir_in(cache).context("no folder to build a package in")?;
        let (tree, part) = (folder.path().join("tree"), folder.path().join("deb"));
        self.lay_tree(&tree)?;
        let mut build = Command::new("dpkg-deb");
        build
            .args(["-Znone", "--root-owner-group", "--build"])
            .arg(&tree)
            .arg(&part);
        let Ok(done) = build.output() else { return Ok(None) };
        ensure!(
            done.status.success(),
            "cannot build {name}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        fs::rename(part, &built)?;
        Ok(Some(built))
    }

    fn lay_tree(&self, tree: &Path) -> Result<()> {
        let (name, control) = (self.name, tree.join("DEBIAN"));
        self.lay_files(tree)?;
        fs::create_dir_all(tree.join("etc").join(name))?;
        fs::create_dir_all(&control)?;
        let settings = format!("etc/{name}/{name}.conf");
        fs::write(tree.join(&settings), format!("# Settings of {name} {}\n", self.version))?;
        fs::write(control.join("conffiles"), format!("/{settings}\n"))?;
        fs::write(
            control.join("control"),
            stanza(name, self.version, "").trim_end().to_owned() + "\n",
        )?;
        write_program(&control.join("postinst"), &self.postinst())
    }

    /// What it brings besides its settings; also for packages that are there from the beginning. Gives their paths.
    pub(super) fn lay_files(&self, root: &Path) -> Result<Vec<String>> {
        let (name, version) = (self.name, self.version);
        let own = root.join("opt").join(name);
        fs::create_dir_all(&own)?;
        fs::write(own.join("VERSION"), format!("{version}\n"))?;
        let mut files = vec![format!("/opt/{name}"), format!("/opt/{name}/VERSION")];
        if self.service {
            let end = match self.flaw {
                Some(Flaw::Service) => format!("echo '{name}: cannot start' >&2\nexit 1"),
                _ => "exec sleep infinity".to_owned(),
            };
            write_program(&own.join("run"), &format!("#!/bin/sh\n{end}\n"))?;
            let units = root.join("etc/systemd/system");
            fs::create_dir_all(&units)?;
            let unit = format!("[Unit]\nDescription={name}\n\n[Service]\nExecStart=/opt/{name}/run\n");
            fs::write(units.join(format!("{name}.service")), unit)?;
            files.push(format!("/opt/{name}/run"));
            files.push(format!("/etc/systemd/system/{name}.service"));
        }
        Ok(files)
    }

    fn postinst(&self) -> String {
        let name = self.name;
        let flaw = match self.flaw {
            Some(Flaw::Postinst) => format!("echo '{name}: cannot convert its data' >&2\nexit 1\n"),
            Some(Flaw::Asks) => {
                "if [ \"${DEBIAN_FRONTEND-}\" != noninteractive ]; then\n  printf 'Convert all data? [y/N] '\n  \
                                 read -r answer\n  [ \"$answer\" = y ]\nfi\n"
                    .to_owned()
            }
            Some(Flaw::Hangs) => "while :; do sleep 60; done\n".to_owned(),
            Some(Flaw::Service) | None => String::new(),
        };
        let restart = format!(
            "if [ -d /run/systemd/system ]; then\n  systemctl daemon-reload\n  systemctl enable --quiet {name} 2>/dev/null\n  \
             systemctl restart {name}\nfi\n"
        );
        let restart = if self.service { restart } else { String::new() };
        format!("#!/bin/sh\nset -e\n[ \"$1\" = configure ] || exit 0\n{flaw}{restart}")
    }
}

fn write_program(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
