export const releases = ["9", "8"] as const;
export type Release = (typeof releases)[number];

const look = ["VM.Audit", "Sys.Audit", "Datastore.Audit", "Pool.Audit", "SDN.Audit"];
const work = ["VM.Console", "VM.PowerMgmt", "VM.Snapshot", "VM.Snapshot.Rollback", "VM.Backup", "VM.Config.Options", "Datastore.AllocateSpace"];
// PVE 9 split VM.Monitor into VM.GuestAgent.*; each release refuses the names of the other.
const guestAgent: Record<Release, { look: string[]; work: string[] }> = {
  "9": { look: ["VM.GuestAgent.Audit"], work: ["VM.GuestAgent.Unrestricted"] },
  "8": { look: ["VM.Monitor"], work: [] },
};

/** The lines that make a role, a user and a token with exactly the rights that Muster can use, for a node's root shell. */
export function newTokenLines(release: Release, auditOnly: boolean, tokenId = ""): string {
  const [user, token] = splitToken(tokenId);
  const own = guestAgent[release];
  const rights = auditOnly ? [...look, ...own.look] : [...look, ...own.look, ...own.work, ...work];
  const role = auditOnly ? "MusterAudit" : "Muster";
  return [
    `pveum role add ${role} --privs "${rights.join(" ")}"`,
    `pveum user add ${user}`,
    `pveum acl modify / --users ${user} --roles ${role}`,
    `pveum user token add ${user} ${token} --privsep 1`,
    `pveum acl modify / --tokens '${user}!${token}' --roles ${role}`,
  ].join("\n");
}

function splitToken(tokenId: string): [string, string] {
  const match = /^([\w.-]+@[\w.-]+)!([\w.-]+)$/.exec(tokenId.trim());
  return match?.[1] && match[2] ? [match[1], match[2]] : ["muster@pve", "main"];
}
