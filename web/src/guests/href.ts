import { linkOptions } from "@tanstack/react-router";

/** Where a guest is shown when only its id is known. */
export function guestHref(id: string) {
  return linkOptions({ to: "/guests/$id", params: { id } });
}
