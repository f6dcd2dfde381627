//! What calls about containers and about virtual machines have in common.

use std::net::IpAddr;

use serde::Deserialize;

use crate::perl;

/// Which configuration of a running guest is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigView {
    /// What is in force now.
    Current,
    /// What will be in force after the guest's next start: PVE merges pending changes into it.
    Pending,
}

/// A guest as its node sees it: an entry of the node's list, or the answer to a question for its state.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct GuestStatus {
    /// Its number.
    #[serde(deserialize_with = "perl::sure")]
    pub vmid: u32,
    /// `running` or `stopped`. A container that is starting is `running` without a `pid` for a moment.
    #[serde(deserialize_with = "perl::sure")]
    pub status: String,
    /// Its name.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub name: Option<String>,
    /// Why it is locked, such as `backup`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub lock: Option<String>,
    /// Whether it is a template.
    #[serde(default, deserialize_with = "perl::flag")]
    pub template: bool,
    /// Its tags, joined by semicolons.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub tags: Option<String>,
    /// The process id of its init or of its QEMU.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub pid: Option<u32>,
    /// Seconds since its start.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub uptime: Option<u64>,
    /// Load as a fraction of `cpus`, 0 to 1; 0 in a worker's first answer.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cpu: Option<f64>,
    /// The CPUs it may use; a fraction when limited.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cpus: Option<f64>,
    /// Memory in use, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub mem: Option<u64>,
    /// Memory it may use, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub maxmem: Option<u64>,
    /// Root disk in use, in bytes; 0 for virtual machines.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub disk: Option<u64>,
    /// Size of the root disk, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub maxdisk: Option<u64>,
    /// High availability; only in the state of a single guest.
    #[serde(default)]
    pub ha: Option<HighAvailability>,
}

impl GuestStatus {
    /// Whether it runs and its first process is there.
    pub fn is_up(&self) -> bool {
        self.status == "running" && self.pid.is_some()
    }
}

/// Whether PVE's high availability moves and restarts the guest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HighAvailability {
    /// Whether it is managed.
    #[serde(default, deserialize_with = "perl::flag")]
    pub managed: bool,
    /// The wanted state, such as `started`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub state: Option<String>,
}

/// A network interface inside a guest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "RawInterface")]
#[non_exhaustive]
pub struct Interface {
    /// Its name, such as `eth0`.
    pub name: String,
    /// Its hardware address.
    pub mac: Option<String>,
    /// Its addresses.
    pub addresses: Vec<Address>,
}

/// An address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// How many of its bits name the network.
    pub prefix: Option<u8>,
}

/// The forms of containers (before and after pve-container 5.2.6) and of the QEMU guest agent, in one.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawInterface {
    name: String,
    hardware_address: Option<String>,
    hwaddr: Option<String>,
    inet: Option<String>,
    inet6: Option<String>,
    ip_addresses: Option<Vec<RawAddress>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawAddress {
    ip_address: Option<String>,
    #[serde(default, deserialize_with = "perl::maybe")]
    prefix: Option<u16>,
}

impl From<RawInterface> for Interface {
    /// `inet` and `inet6` hold the last address of their family only, so they count when there is no list.
    fn from(raw: RawInterface) -> Self {
        let addresses = match &raw.ip_addresses {
            Some(list) => list.iter().filter_map(RawAddress::read).collect(),
            None => [&raw.inet, &raw.inet6]
                .into_iter()
                .flatten()
                .filter_map(|text| with_prefix(text))
                .collect(),
        };
        Self {
            name: raw.name,
            mac: raw.hardware_address.or(raw.hwaddr),
            addresses,
        }
    }
}

impl RawAddress {
    fn read(&self) -> Option<Address> {
        let prefix = self.prefix.and_then(|prefix| u8::try_from(prefix).ok());
        Some(Address {
            ip: ip(self.ip_address.as_deref()?)?,
            prefix,
        })
    }
}

/// Reads `192.0.2.1/24`.
fn with_prefix(text: &str) -> Option<Address> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    Some(Address {
        ip: ip(address)?,
        prefix: prefix.parse().ok(),
    })
}

/// Reads an address; agents of Windows write the interface behind a link-local one, as in `fe80::1%7`.
fn ip(text: &str) -> Option<IpAddr> {
    text.split('%').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: serde_json::Value) -> String {
        let interface: Interface = serde_json::from_value(value).expect("an interface");
        let addresses: Vec<String> = interface
            .addresses
            .iter()
            .map(|a| format!("{}/{}", a.ip, a.prefix.map_or(-1, i32::from)))
            .collect();
        format!(
            "{} {} {}",
            interface.name,
            interface.mac.unwrap_or_default(),
            addresses.join(" ")
        )
    }

    #[test]
    fn reads_the_form_before_the_list() {
        let value = json!({"name": "eth0", "hwaddr": "bc:24", "inet": "192.0.2.5/24", "inet6": "fe80::1/64"});
        assert_eq!(shown(value), "eth0 bc:24 192.0.2.5/24 fe80::1/64");
    }

    #[test]
    fn reads_the_form_of_the_guest_agent() {
        let value = json!({"name": "Ethernet", "hardware-address": "bc:24", "ip-addresses": [
            {"ip-address": "fe80::1%7", "ip-address-type": "ipv6", "prefix": 64},
            {"ip-address": "192.0.2.5", "ip-address-type": "ipv4", "prefix": "24"},
            {"ip-address": "not an address"}, {}], "statistics": {"rx-bytes": 1}});
        assert_eq!(shown(value), "Ethernet bc:24 fe80::1/64 192.0.2.5/24");
    }

    #[test]
    fn an_interface_may_have_nothing() {
        assert_eq!(shown(json!({"name": "lo"})), "lo  ");
    }
}
