//! What the list does not say of a guest: its configuration, its addresses, its system.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;

use futures::StreamExt as _;
use muster_domain::GuestId;
use muster_domain::fleet::GuestKind;
use muster_domain::reach::QemuAgent;
use proxmox_client::{Client, ConfigView, Error, Interface, LxcConfig, QemuConfig};

use super::Failure;

/// A guest whose details are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestToAsk {
    /// Our id.
    pub id: GuestId,
    /// Its number.
    pub vmid: i64,
    /// Container or VM.
    pub kind: GuestKind,
    /// Its node.
    pub node: String,
    /// Whether it runs: only then it has addresses.
    pub runs: bool,
    /// Whether its console may show something else after the next restart.
    pub console_changes: bool,
    /// Whether the token may ask the guest agent of a VM.
    pub may_ask_agent: bool,
}

/// What PVE said of a guest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuestDetails {
    /// Digest of the configuration.
    pub digest: Option<String>,
    /// Whether root inside is nobody outside; containers only.
    pub unprivileged: Option<bool>,
    /// What the console shows; containers only.
    pub cmode: Option<String>,
    /// Whether it has mount points beside its root; containers only.
    pub has_mounts: Option<bool>,
    /// What its console will show after the next restart, where that differs and was asked; containers only.
    pub cmode_pending: Option<String>,
    /// What was seen of its QEMU guest agent; VMs only.
    pub qemu_agent: Option<QemuAgent>,
    /// Its system.
    pub system: Option<System>,
    /// Its addresses, the best one first; `None` when nobody could be asked.
    pub addresses: Option<Vec<IpAddr>>,
}

/// Which system a guest has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// E.g. `debian`.
    pub id: String,
    /// E.g. `Debian`.
    pub name: String,
    /// Whether the guest says so itself, and not only its configuration.
    pub said_by_the_guest: bool,
}

/// Asks about all of them at once; the client's limits decide how many calls are under way. After a failure that is the
/// node's, its other guests are not asked any more. A guest that has moved or gone in between has no answer: the next
/// list says where it is.
pub async fn ask_guests(
    client: &Client,
    guests: Vec<GuestToAsk>,
) -> (Vec<(GuestId, GuestDetails)>, Vec<(String, Failure)>) {
    let silent = Mutex::new(BTreeSet::new());
    let is_silent = |node: &str| silent.lock().is_ok_and(|nodes| nodes.contains(node));
    let answers = futures::stream::iter(guests.into_iter().map(|guest| async {
        if is_silent(&guest.node) {
            return None;
        }
        let answer = ask(client, &guest).await;
        if let (Err(failure), Ok(mut nodes)) = (&answer, silent.lock())
            && failure.is_of_the_node()
        {
            nodes.insert(guest.node.clone());
        }
        Some((guest, answer))
    }))
    .buffer_unordered(AT_ONCE)
    .filter_map(std::future::ready)
    .collect::<Vec<_>>()
    .await;
    let (mut known, mut failures) = (Vec::new(), Vec::new());
    for (guest, answer) in answers {
        match answer {
            Ok(Some(details)) => known.push((guest.id, details)),
            Ok(None) => {}
            Err(failure) => failures.push((guest.node, failure)),
        }
    }
    (known, failures)
}

/// More than the client lets through: it has places per node, and a full window of guests of one node must not keep the
/// others waiting.
const AT_ONCE: usize = 4096;

async fn ask(client: &Client, guest: &GuestToAsk) -> Result<Option<GuestDetails>, Failure> {
    let answer = match (u32::try_from(guest.vmid), guest.kind) {
        (Ok(vmid), GuestKind::Lxc) => container(client, guest, vmid).await,
        (Ok(vmid), GuestKind::Qemu) => machine(client, guest, vmid).await,
        (Err(_), _) => return Ok(None),
    };
    match answer {
        Ok(details) => Ok(Some(details)),
        Err(error) if error.is_missing_guest() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn container(client: &Client, guest: &GuestToAsk, vmid: u32) -> Result<GuestDetails, Error> {
    let config = client.lxc_config(&guest.node, vmid, ConfigView::Current).await?;
    let mut details = of_container(&config);
    if guest.console_changes {
        let pending = client.lxc_config(&guest.node, vmid, ConfigView::Pending).await?;
        let differs = pending.console_mode() != config.console_mode();
        details.cmode_pending = differs.then(|| pending.console_mode().to_owned());
    }
    if guest.runs {
        details.addresses = client
            .lxc_interfaces(&guest.node, vmid)
            .await?
            .map(|found| addresses(&found));
    }
    Ok(details)
}

async fn machine(client: &Client, guest: &GuestToAsk, vmid: u32) -> Result<GuestDetails, Error> {
    let config = client.qemu_config(&guest.node, vmid, ConfigView::Current).await?;
    let mut details = of_machine(&config);
    if guest.runs && guest.may_ask_agent && config.has_agent() {
        // A guest agent that is switched on but does not run is nothing unusual.
        details.qemu_agent = Some(QemuAgent::Silent);
        if let Some(found) = answered(client.qemu_interfaces(&guest.node, vmid).await)? {
            details.qemu_agent = Some(QemuAgent::Answers);
            details.addresses = Some(addresses(&found));
            if let Some(system) = answered(client.qemu_osinfo(&guest.node, vmid).await)? {
                details.system = said(system.id, system.pretty_name.or(system.name)).or(details.system);
            }
        }
    }
    Ok(details)
}

fn answered<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_missing_guest() => Err(error),
        Err(Error::Rejected { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn of_container(config: &LxcConfig) -> GuestDetails {
    GuestDetails {
        digest: config.digest.clone(),
        unprivileged: Some(config.unprivileged),
        cmode: Some(config.console_mode().to_owned()),
        has_mounts: Some(config.mount_points().next().is_some()),
        system: config.ostype.as_deref().and_then(container_system),
        cmode_pending: None,
        qemu_agent: None,
        addresses: None,
    }
}

fn of_machine(config: &QemuConfig) -> GuestDetails {
    GuestDetails {
        digest: config.digest.clone(),
        system: config.ostype.as_deref().and_then(machine_system),
        qemu_agent: (!config.has_agent()).then_some(QemuAgent::Off),
        ..GuestDetails::default()
    }
}

/// The values of `ostype` of a container (pve-container, `PVE/LXC/Config.pm`); `unmanaged` says nothing.
fn container_system(ostype: &str) -> Option<System> {
    let (id, name) = match ostype {
        "debian" => ("debian", "Debian"),
        "devuan" => ("devuan", "Devuan"),
        "ubuntu" => ("ubuntu", "Ubuntu"),
        "centos" => ("centos", "CentOS"),
        "fedora" => ("fedora", "Fedora"),
        "opensuse" => ("opensuse", "openSUSE"),
        "archlinux" => ("arch", "Arch Linux"),
        "alpine" => ("alpine", "Alpine Linux"),
        "gentoo" => ("gentoo", "Gentoo"),
        "nixos" => ("nixos", "NixOS"),
        _ => return None,
    };
    Some(configured(id, name))
}

/// The values of `ostype` of a VM (qemu-server, `PVE/QemuServer.pm`).
fn machine_system(ostype: &str) -> Option<System> {
    match ostype {
        "l24" | "l26" => Some(configured("linux", "Linux")),
        "solaris" => Some(configured("solaris", "Solaris")),
        windows if windows.starts_with('w') => Some(configured(windows, "Windows")),
        _ => None,
    }
}

fn configured(id: &str, name: &str) -> System {
    System {
        id: id.to_owned(),
        name: name.to_owned(),
        said_by_the_guest: false,
    }
}

fn said(id: Option<String>, name: Option<String>) -> Option<System> {
    let id = id.filter(|id| !id.is_empty())?;
    Some(System {
        name: name.unwrap_or_else(|| id.clone()),
        id,
        said_by_the_guest: true,
    })
}

/// All addresses one could connect to, the most likely first: those of real interfaces before those of bridges and
/// tunnels inside the guest, IPv4 before IPv6.
fn addresses(interfaces: &[Interface]) -> Vec<IpAddr> {
    let mut found: Vec<(bool, bool, IpAddr)> = interfaces
        .iter()
        .flat_map(|interface| interface.addresses.iter().map(move |address| (interface, address.ip)))
        .filter(|(_, ip)| !is_local(*ip))
        .map(|(interface, ip)| (is_inner(&interface.name), ip.is_ipv6(), ip))
        .collect();
    // A stable sort: interfaces stay in the guest's order.
    found.sort_by_key(|(inner, v6, _)| (*inner, *v6));
    found.dedup();
    found.into_iter().map(|(_, _, ip)| ip).collect()
}

fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified(),
    }
}

fn is_inner(name: &str) -> bool {
    [
        "docker",
        "br-",
        "veth",
        "virbr",
        "cni",
        "flannel",
        "cali",
        "podman",
        "lxcbr",
        "tun",
        "tap",
        "wg",
        "tailscale",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interfaces(value: serde_json::Value) -> Vec<Interface> {
        serde_json::from_value(value).expect("interfaces")
    }

    #[test]
    fn the_address_of_the_real_interface_comes_first() {
        let found = interfaces(serde_json::json!([
            {"name": "lo", "inet": "127.0.0.1/8", "inet6": "::1/128"},
            {"name": "docker0", "inet": "172.17.0.1/16"},
            {"name": "eth0", "ip-addresses": [
                {"ip-address": "2001:db8::5", "prefix": "64"}, {"ip-address": "fe80::1", "prefix": "64"},
                {"ip-address": "192.0.2.5", "prefix": "24"}]},
        ]));
        let shown: Vec<String> = addresses(&found).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["192.0.2.5", "2001:db8::5", "172.17.0.1"]);
    }

    #[test]
    fn what_is_missing_in_a_configuration_has_the_default() {
        let config: LxcConfig = serde_json::from_value(serde_json::json!({
            "ostype": "archlinux", "mp0": "/srv,mp=/srv", "digest": "abc"
        }))
        .expect("a configuration");
        let details = of_container(&config);
        assert_eq!(details.cmode.as_deref(), Some("tty"));
        assert_eq!((details.unprivileged, details.has_mounts), (Some(false), Some(true)));
        assert_eq!(details.system, Some(configured("arch", "Arch Linux")));
        assert_eq!(container_system("unmanaged"), None);
        assert_eq!(machine_system("win11").expect("known").name, "Windows");
        assert_eq!(machine_system("other"), None);
    }
}
