use anyhow::Result;
use muster_packages::facts;

use crate::shell::{SHELLS, command};

#[test]
fn every_shell_tells_the_facts_of_this_host() -> Result<()> {
    for shell in SHELLS {
        let facts = facts::parse(&command(shell, &facts::script()).output()?.stdout)?;
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
        assert_eq!(facts.hostname, hostname.trim(), "{shell:?}");
        assert_eq!(
            facts.kernel,
            std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim()
        );
        assert_eq!(facts.arch, std::env::consts::ARCH);
        assert_eq!(facts.boot.map(|id| id.len()), Some(36));
        assert!(std::fs::read_to_string("/etc/os-release")?.contains(&facts.os_name));
        assert!(!facts.os_id.contains('"') && !facts.os_id.is_empty());
    }
    Ok(())
}
