import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import type { Role } from "../api/model";
import { queries } from "../api/queries";

/** Who is signed in. Pages behind the shell may rely on a user. */
export function useSession() {
  const { data } = useQuery(queries.session);
  return { user: data?.user ?? null, version: data?.version ?? "", isDemo: data?.demo ?? false };
}

const ranks: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the user's role is at least this one. Only hides what a role may never do; everything else comes from `actions`. */
export function useHasRole(role: Role): boolean {
  const { user } = useSession();
  return user !== null && ranks[user.role] >= ranks[role];
}

export function useSignOut() {
  const cache = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () => send(call("delete", "/api/v1/session")),
    onSuccess: async () => {
      cache.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.session[0] });
      await cache.resetQueries({ queryKey: keys.session });
      await navigate({ to: "/sign-in" });
    },
  });
}
