//! Users, API tokens, roles and the access control list, with the rules of PVE/AccessControl.pm and
//! PVE/RPCEnvironment.pm.

use std::collections::{BTreeMap, BTreeSet};

use super::{Millis, Release};

/// A privilege set on a path, with the question whether it is passed on to deeper paths.
pub(crate) type Propagate = BTreeMap<String, bool>;

/// Everything about who may do what in one cluster.
#[derive(Debug, Default)]
pub(crate) struct Access {
    users: BTreeMap<String, User>,
    tokens: BTreeMap<String, Token>,
    roles: BTreeMap<String, BTreeSet<String>>,
    acl: Vec<AclEntry>,
}

#[derive(Debug, Default)]
struct User {
    expires: Option<Millis>,
    /// What it logs in with; without one it has only tokens.
    password: Option<String>,
}

/// An API token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// The UUID that proves it.
    pub(crate) secret: String,
    /// Whether its rights are only those of its own ACL entries that its user has too.
    pub(crate) privsep: bool,
    /// When it stops working.
    pub(crate) expires: Option<Millis>,
}

/// One line of the access control list.
#[derive(Debug, Clone)]
pub(crate) struct AclEntry {
    /// `/`, `/vms/100` …
    pub(crate) path: String,
    /// A user or a full token id.
    pub(crate) who: String,
    /// The role given.
    pub(crate) role: String,
    /// Whether it holds for deeper paths too.
    pub(crate) propagate: bool,
}

/// The built-in role that takes everything away.
const NO_ACCESS: &str = "NoAccess";

/// Paths that `GET /access/permissions` lists besides those in the ACL (recorded from PVE 9.1.9).
const WELL_KNOWN_PATHS: [&str; 8] = [
    "/",
    "/access",
    "/access/groups",
    "/nodes",
    "/pool",
    "/sdn",
    "/storage",
    "/vms",
];

impl Access {
    /// The built-in roles of a release and the user root@pam.
    pub(crate) fn built_in(release: Release) -> Access {
        let mut access = Access::default();
        access.add_user("root@pam", None);
        for (role, privileges) in built_in_roles(release) {
            access.add_role(role, privileges.iter().copied());
        }
        access
    }

    /// Makes or changes a user.
    pub(crate) fn add_user(&mut self, user: &str, expires: Option<Millis>) {
        self.users.entry(user.to_owned()).or_default().expires = expires;
    }

    /// Gives a user a password.
    pub(crate) fn set_password(&mut self, user: &str, password: &str) {
        self.users.entry(user.to_owned()).or_default().password = Some(password.to_owned());
    }

    /// The password of a user.
    pub(crate) fn password_of(&self, user: &str) -> Option<&str> {
        self.users.get(user)?.password.as_deref()
    }

    /// Whether the user exists and has not expired.
    pub(crate) fn user_is_valid(&self, user: &str, now: Millis) -> bool {
        self.users.get(user).is_some_and(|user| !has_passed(user.expires, now))
    }

    /// Makes or replaces a role.
    pub(crate) fn add_role<'a>(&mut self, role: &str, privileges: impl IntoIterator<Item = &'a str>) {
        self.roles
            .insert(role.to_owned(), privileges.into_iter().map(str::to_owned).collect());
    }

    /// Makes or replaces a token; `id` is `user@realm!name`.
    pub(crate) fn add_token(&mut self, id: &str, token: Token) {
        self.tokens.insert(id.to_owned(), token);
    }

    /// Adds an ACL entry.
    pub(crate) fn grant(&mut self, entry: AclEntry) {
        self.acl.push(entry);
    }

    /// Takes a token or user every ACL entry.
    pub(crate) fn withdraw(&mut self, who: &str) {
        self.acl.retain(|entry| entry.who != who);
    }

    /// Sets when a token ends; answers whether there is one.
    pub(crate) fn set_expiry(&mut self, id: &str, expires: Option<Millis>) -> bool {
        self.tokens.get_mut(id).map(|token| token.expires = expires).is_some()
    }

    /// Takes a token away, its ACL entries with it.
    pub(crate) fn remove_token(&mut self, id: &str) -> bool {
        self.withdraw(id);
        self.tokens.remove(id).is_some()
    }

    /// Roles with their privileges.
    pub(crate) fn roles(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.roles.iter().map(|(name, privileges)| (name.as_str(), privileges))
    }

    /// The secret of a token.
    pub(crate) fn secret_of(&self, id: &str) -> Option<&str> {
        self.tokens.get(id).map(|token| token.secret.as_str())
    }

    /// Whether the token exists, the secret is right, and neither it nor its user has expired.
    pub(crate) fn token_is_valid(&self, id: &str, secret: &str, now: Millis) -> bool {
        let Some((user, _)) = id.split_once('!') else {
            return false;
        };
        let token = self.tokens.get(id);
        let token_is_fine = token.is_some_and(|token| token.secret == secret && !has_passed(token.expires, now));
        token_is_fine && self.user_is_valid(user, now)
    }

    /// The privileges of a user or token on a path. Pools that hold the guest or storage of the path add theirs.
    pub(crate) fn privileges(&self, who: &str, path: &str, pools: &[&str]) -> Propagate {
        if who == "root@pam" {
            return self.role_privileges(&BTreeMap::from([("Administrator", true)]));
        }
        let Some((user, _)) = who.split_once('!') else {
            return self.own_privileges(who, path, pools);
        };
        let of_user = || self.privileges(user, path, pools);
        match self.tokens.get(who) {
            None => Propagate::new(),
            Some(token) if !token.privsep => of_user(),
            // The tokens of root@pam are not cut down to the rights of their user: that one may do everything.
            Some(_) if user == "root@pam" => self.own_privileges(who, path, pools),
            Some(_) => {
                let of_user = of_user();
                let mut of_token = self.own_privileges(who, path, pools);
                of_token.retain(|privilege, _| of_user.contains_key(privilege));
                of_token
            }
        }
    }

    /// What `GET /access/permissions` lists: every well-known path and every path of the ACL where `who` may something.
    pub(crate) fn all_privileges(&self, who: &str, pools: &dyn Fn(&str) -> Vec<String>) -> BTreeMap<String, Propagate> {
        let of_acl = self.acl.iter().map(|entry| entry.path.as_str());
        let paths: BTreeSet<&str> = WELL_KNOWN_PATHS.into_iter().chain(of_acl).collect();
        let with_rights = paths.into_iter().map(|path| {
            let pools = pools(path);
            let pools: Vec<&str> = pools.iter().map(String::as_str).collect();
            (path.to_owned(), self.privileges(who, path, &pools))
        });
        with_rights.filter(|(_, privileges)| !privileges.is_empty()).collect()
    }

    fn own_privileges(&self, who: &str, path: &str, pools: &[&str]) -> Propagate {
        let mut roles = self.roles_on(who, path);
        for pool in pools {
            for (role, propagate) in self.roles_on(who, &format!("/pool/{pool}")) {
                roles.entry(role).or_insert(propagate);
            }
        }
        self.role_privileges(&roles)
    }

    /// The roles of `who` on `path`: entries of a deeper path replace those inherited from above, they do not add.
    fn roles_on(&self, who: &str, path: &str) -> BTreeMap<&str, bool> {
        let mut roles = BTreeMap::new();
        for level in levels(path) {
            let is_final = level == path;
            let here = self.acl.iter().filter(|entry| entry.who == who && entry.path == level);
            let here: BTreeMap<&str, bool> = here
                .filter(|entry| is_final || entry.propagate)
                .map(|entry| (entry.role.as_str(), entry.propagate))
                .collect();
            if !here.is_empty() {
                roles = here;
            }
        }
        if roles.contains_key(NO_ACCESS) {
            BTreeMap::new()
        } else {
            roles
        }
    }

    fn role_privileges(&self, roles: &BTreeMap<&str, bool>) -> Propagate {
        let mut privileges = Propagate::new();
        for (role, propagate) in roles {
            for privilege in self.roles.get(*role).into_iter().flatten() {
                *privileges.entry(privilege.clone()).or_default() |= propagate;
            }
        }
        privileges
    }
}

fn has_passed(end: Option<Millis>, now: Millis) -> bool {
    end.is_some_and(|at| at <= now)
}

/// `/`, `/vms`, `/vms/100` for `/vms/100`.
fn levels(path: &str) -> impl Iterator<Item = &str> {
    let below = path
        .char_indices()
        .skip(1)
        .filter(|(_, c)| *c == '/')
        .map(|(at, _)| &path[..at]);
    std::iter::once("/").chain(below).chain((path != "/").then_some(path))
}

/// The roles every installation has (recorded from PVE 9.1.9), with the differences of PVE 8: one privilege for the
/// guest agent, and no replication privilege.
fn built_in_roles(release: Release) -> Vec<(&'static str, Vec<&'static str>)> {
    let guest_agent: &[&str] = match release {
        Release::Pve8 => &["VM.Monitor"],
        Release::Pve9 => &[
            "VM.GuestAgent.Audit",
            "VM.GuestAgent.FileRead",
            "VM.GuestAgent.FileSystemMgmt",
            "VM.GuestAgent.FileWrite",
            "VM.GuestAgent.Unrestricted",
            "VM.Replicate",
        ],
    };
    let vm_admin = [VM_ADMIN, guest_agent].concat();
    let auditor: &[&str] = match release {
        Release::Pve8 => &[],
        Release::Pve9 => &["VM.GuestAgent.Audit"],
    };
    vec![
        ("Administrator", [ADMINISTRATOR_ONLY, vm_admin.as_slice()].concat()),
        ("PVEAuditor", [AUDITOR, auditor].concat()),
        ("PVEVMAdmin", vm_admin),
        ("PVEDatastoreUser", vec!["Datastore.AllocateSpace", "Datastore.Audit"]),
        ("PVEPoolUser", vec!["Pool.Audit"]),
        ("PVESysAdmin", vec!["Sys.Audit", "Sys.Console", "Sys.Syslog"]),
        (NO_ACCESS, vec![]),
    ]
}

const AUDITOR: &[&str] = &[
    "Datastore.Audit",
    "Mapping.Audit",
    "Pool.Audit",
    "SDN.Audit",
    "Sys.Audit",
    "VM.Audit",
];

const VM_ADMIN: &[&str] = &[
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Clone",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Cloudinit",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.Migrate",
    "VM.PowerMgmt",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
];

const ADMINISTRATOR_ONLY: &[&str] = &[
    "Datastore.Allocate",
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "Group.Allocate",
    "Mapping.Audit",
    "Mapping.Modify",
    "Mapping.Use",
    "Permissions.Modify",
    "Pool.Allocate",
    "Pool.Audit",
    "Realm.Allocate",
    "Realm.AllocateUser",
    "SDN.Allocate",
    "SDN.Audit",
    "SDN.Use",
    "Sys.AccessNetwork",
    "Sys.Audit",
    "Sys.Console",
    "Sys.Incoming",
    "Sys.Modify",
    "Sys.PowerMgmt",
    "Sys.Syslog",
    "User.Modify",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        let mut access = Access::built_in(Release::Pve9);
        access.add_user("ops@pve", None);
        access.add_role("Audit", ["VM.Audit"]);
        access.add_role("Power", ["VM.PowerMgmt"]);
        let token = Token {
            secret: "s".to_owned(),
            privsep: true,
            expires: None,
        };
        access.add_token("ops@pve!sep", token.clone());
        access.add_token(
            "ops@pve!full",
            Token {
                privsep: false,
                ..token
            },
        );
        access
    }

    fn grant(access: &mut Access, path: &str, who: &str, role: &str, propagate: bool) {
        let (path, who, role) = (path.to_owned(), who.to_owned(), role.to_owned());
        access.grant(AclEntry {
            path,
            who,
            role,
            propagate,
        });
    }

    fn names(privileges: Propagate) -> Vec<String> {
        privileges.into_keys().collect()
    }

    #[test]
    fn a_deeper_entry_replaces_the_inherited_one() {
        let mut access = access();
        grant(&mut access, "/", "ops@pve", "Audit", true);
        grant(&mut access, "/vms/100", "ops@pve", "Power", true);
        assert_eq!(names(access.privileges("ops@pve", "/vms/100", &[])), ["VM.PowerMgmt"]);
        assert_eq!(names(access.privileges("ops@pve", "/vms/101", &[])), ["VM.Audit"]);
    }

    #[test]
    fn an_entry_that_does_not_propagate_holds_only_on_its_path() {
        let mut access = access();
        grant(&mut access, "/vms", "ops@pve", "Audit", false);
        assert_eq!(names(access.privileges("ops@pve", "/vms", &[])), ["VM.Audit"]);
        assert!(access.privileges("ops@pve", "/vms/100", &[]).is_empty());
    }

    #[test]
    fn a_privilege_separated_token_has_only_what_both_have() {
        let mut access = access();
        grant(&mut access, "/", "ops@pve", "Audit", true);
        assert!(
            access.privileges("ops@pve!sep", "/vms/100", &[]).is_empty(),
            "no entry of its own"
        );
        assert_eq!(names(access.privileges("ops@pve!full", "/vms/100", &[])), ["VM.Audit"]);
        grant(&mut access, "/", "ops@pve!sep", "Audit", true);
        grant(&mut access, "/", "ops@pve!sep", "Power", true);
        assert_eq!(
            names(access.privileges("ops@pve!sep", "/vms/100", &[])),
            ["VM.Audit"],
            "the user has no power"
        );
    }

    #[test]
    fn no_access_wins_and_pools_add() {
        let mut access = access();
        grant(&mut access, "/pool/prod", "ops@pve", "Power", true);
        grant(&mut access, "/", "ops@pve", "Audit", true);
        assert_eq!(
            names(access.privileges("ops@pve", "/vms/100", &["prod"])),
            ["VM.Audit", "VM.PowerMgmt"]
        );
        grant(&mut access, "/vms/7", "ops@pve", "NoAccess", true);
        assert!(access.privileges("ops@pve", "/vms/7", &[]).is_empty());
    }

    #[test]
    fn a_token_is_refused_with_a_wrong_secret_or_after_its_end() {
        let mut access = access();
        assert!(access.token_is_valid("ops@pve!sep", "s", 0));
        assert!(!access.token_is_valid("ops@pve!sep", "t", 0));
        access.add_token(
            "ops@pve!gone",
            Token {
                secret: "s".to_owned(),
                privsep: true,
                expires: Some(10),
            },
        );
        assert!(access.token_is_valid("ops@pve!gone", "s", 9));
        assert!(!access.token_is_valid("ops@pve!gone", "s", 10));
    }
}
