import { Link } from "@tanstack/react-router";
import type { Guest } from "../api/model";

/** A guest by its name, with where it is. */
export function GuestName({ guest }: { guest: Pick<Guest, "cluster" | "vmid" | "name" | "node"> }) {
  return (
    <Link className="rowLink" to="/fleet/$cluster/guests/$vmid" params={{ cluster: guest.cluster, vmid: String(guest.vmid) }}>
      {guest.name} <span className="third">{`${guest.vmid} on ${guest.node}`}</span>
    </Link>
  );
}
