//! Three clusters as they stand in a cupboard at home.

use super::spec::{ClusterSpec, GuestSpec, PackageSpec};
use crate::world::{Os, Packages, Release, Shell};

pub(super) fn clusters() -> Vec<ClusterSpec> {
    let first = ClusterSpec::new("homelab-1", "Homelab Cluster 1").nodes(["pve1", "pve2"]);
    let second = ClusterSpec::new("homelab-2", "Homelab Cluster 2")
        .nodes(["pve3"])
        .standalone();
    let third = ClusterSpec::new("homelab-3", "Homelab Cluster 3")
        .nodes(["pve4"])
        .standalone();
    vec![
        first.guests([guests_of_pve1(), guests_of_pve2()].concat()),
        // Its packages let tokens into consoles; those of the third do not.
        second
            .release(Release::Pve8)
            .packages(Packages::Newer)
            .guests(guests_of_pve3()),
        third.packages(Packages::Older).added_by_hand().guests(guests_of_pve4()),
    ]
}

fn guests_of_pve1() -> Vec<GuestSpec> {
    let lxc = |vmid, name, os| GuestSpec::lxc(vmid, name, "pve1", os);
    vec![
        lxc(100, "ubuntu-docker-01", Os::Ubuntu)
            .shell_console()
            .size(4, 4096, 32)
            .tags("docker;prod")
            .pool("prod")
            .address("192.168.1.100/24")
            .updates(vec![
                PackageSpec::security("openssl", "3.0.13-0ubuntu3.5", "3.0.13-0ubuntu3.6"),
                PackageSpec::update("docker.io", "27.5.1-0ubuntu3~24.04.2", "28.2.2-0ubuntu1~24.04.1"),
            ]),
        // A login on the console, as Proxmox VE sets containers up.
        lxc(101, "debian-pihole", Os::Debian)
            .size(1, 512, 4)
            .tags("dns")
            .address("192.168.1.101/24")
            .updates(vec![PackageSpec::update(
                "dnsmasq-base",
                "2.90-4~deb12u1",
                "2.90-4~deb12u2",
            )]),
        lxc(102, "ubuntu-dev", Os::Ubuntu)
            .stopped()
            .size(4, 8192, 64)
            .not_backed_up()
            .address("192.168.1.102/24"),
        lxc(103, "alpine-proxy", Os::Alpine)
            .shell_console()
            .size(1, 256, 2)
            .tags("proxy")
            .address("192.168.1.103/24")
            .updates(vec![
                PackageSpec::security("nginx", "1.28.0-r3", "1.28.0-r4"),
                PackageSpec::update("tzdata", "2025a-r0", "2025b-r0"),
            ]),
        lxc(104, "fedora-build", Os::Fedora)
            .shell_console()
            .size(4, 4096, 40)
            .not_backed_up()
            .address("192.168.1.104/24"),
        lxc(105, "nginx-proxy", Os::Debian)
            .storage("local-zfs")
            .shell_console()
            .size(1, 512, 4)
            .tags("proxy;prod")
            .pool("prod")
            .address("192.168.1.105/24")
            .updates(vec![
                PackageSpec::security("nginx", "1.22.1-9+deb12u2", "1.22.1-9+deb12u3").service(),
            ]),
        GuestSpec::qemu(150, "home-assistant", "pve1", Os::Debian)
            .guest_agent()
            .address("192.168.1.150/24"),
    ]
}

fn guests_of_pve2() -> Vec<GuestSpec> {
    let lxc = |vmid, name, os| GuestSpec::lxc(vmid, name, "pve2", os);
    vec![
        lxc(200, "nextcloud", Os::Debian)
            .size(4, 4096, 100)
            .tags("prod")
            .pool("prod")
            .mount_point()
            .address("192.168.1.200/24")
            .updates(vec![
                PackageSpec::security("apache2", "2.4.62-1~deb12u2", "2.4.65-1~deb12u1").service(),
                PackageSpec::security("libxml2", "2.9.14+dfsg-1.3~deb12u1", "2.9.14+dfsg-1.3~deb12u4"),
                PackageSpec::update("php8.2-fpm", "8.2.28-1~deb12u1", "8.2.29-1~deb12u1").service(),
                PackageSpec::update("tzdata", "2025a-0+deb12u1", "2025b-0+deb12u1"),
                PackageSpec::update("base-files", "12.4+deb12u10", "12.4+deb12u11"),
            ]),
        lxc(201, "mariadb", Os::Debian)
            .shell_console()
            .shell(Shell::Dash)
            .tags("db;prod")
            .pool("prod")
            .address("192.168.1.201/24"),
        lxc(202, "vaultwarden", Os::Alpine)
            .shell_console()
            .size(1, 256, 2)
            .tags("prod")
            .address("192.168.1.202/24"),
        lxc(203, "paperless", Os::Debian)
            .shell_console()
            .locked("backup")
            .address("192.168.1.203/24")
            .updates(vec![
                PackageSpec::update("redis-server", "5:7.0.15-1~deb12u3", "5:7.0.15-1~deb12u5").service(),
            ]),
        lxc(204, "arch-lab", Os::Arch)
            .shell_console()
            .not_backed_up()
            .address("192.168.1.204/24")
            .updates(vec![PackageSpec::update("linux-api-headers", "6.15-1", "6.16-1")]),
        lxc(205, "opensuse-print", Os::OpenSuse)
            .storage("usb-disk")
            .shell_console()
            .size(1, 512, 8)
            .address("192.168.1.205/24"),
        lxc(206, "iot-gateway", Os::Debian)
            .shell_console()
            .isolated()
            .size(1, 256, 4)
            .tags("iot")
            .address("10.20.0.6/24")
            .updates(vec![
                PackageSpec::update("mosquitto", "2.0.11-1.2+deb12u1", "2.0.11-1.2+deb12u2").service(),
            ]),
        GuestSpec::qemu(250, "media-server", "pve2", Os::Ubuntu)
            .guest_agent()
            .not_backed_up()
            .address("192.168.1.250/24"),
    ]
}

fn guests_of_pve3() -> Vec<GuestSpec> {
    let lxc = |vmid, name, os| GuestSpec::lxc(vmid, name, "pve3", os);
    vec![
        lxc(300, "monitoring", Os::Debian)
            .shell_console()
            .size(2, 2048, 32)
            .tags("prod")
            .address("192.168.2.30/24")
            .updates(vec![
                PackageSpec::security("libc-bin", "2.36-9+deb12u10", "2.36-9+deb12u13"),
                PackageSpec::update("prometheus", "2.42.0+ds-5+b4", "2.42.0+ds-5+b5").service(),
            ]),
        lxc(301, "backup-target", Os::Debian)
            .shell_console()
            .privileged()
            .size(2, 1024, 500)
            .address("192.168.2.31/24"),
        lxc(302, "gitea", Os::Ubuntu)
            .shell_console()
            .tags("dev")
            .address("192.168.2.32/24")
            .updates(vec![PackageSpec::update(
                "git",
                "1:2.43.0-1ubuntu7.2",
                "1:2.43.0-1ubuntu7.3",
            )]),
        lxc(303, "nginx-proxy", Os::Alpine)
            .shell_console()
            .size(1, 256, 2)
            .tags("proxy")
            .address("192.168.2.33/24"),
        lxc(304, "wireguard", Os::Debian)
            .size(1, 256, 2)
            .address("192.168.2.34/24"),
        lxc(305, "old-wiki", Os::Debian)
            .stopped()
            .not_backed_up()
            .address("192.168.2.35/24"),
        lxc(390, "debian-12-template", Os::Debian)
            .template()
            .size(1, 512, 4)
            .not_backed_up(),
    ]
}

fn guests_of_pve4() -> Vec<GuestSpec> {
    let lxc = |vmid, name, os| GuestSpec::lxc(vmid, name, "pve4", os);
    vec![
        lxc(400, "minecraft", Os::Ubuntu)
            .shell_console()
            .size(4, 8192, 40)
            .address("192.168.3.40/24")
            .updates(vec![PackageSpec::security(
                "curl",
                "8.5.0-2ubuntu10.5",
                "8.5.0-2ubuntu10.6",
            )]),
        lxc(401, "wiki", Os::Debian).address("192.168.3.41/24").not_backed_up(),
        lxc(402, "test", Os::Alpine)
            .stopped()
            .size(1, 256, 2)
            .address("192.168.3.42/24")
            .not_backed_up(),
    ]
}
