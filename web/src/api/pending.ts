/**
 * Shapes of calls that the API description does not have yet, in the same form. Whatever it gains leaves this file.
 */
import type { components as described } from "./schema.gen";

type Opt<T> = T | null | undefined;
type Json<T> = { content: { "application/json": T } };
type Answer<T, Status extends number = 200> = { responses: { [S in Status]: Json<T> } };
type Path<Names extends string> = { parameters: { path: { [N in Names]: string } } };
type Body<B> = { requestBody: Json<B> };
type S = described["schemas"] & components["schemas"];
type BulkBody = { guests?: string[]; dry_run?: boolean };

export interface components {
  schemas: {
    System: { version: string; agent_url: Opt<string>; agent_url_guesses: string[]; database: string; reconcilers: { name: string; state?: Opt<string>; last_run_at?: Opt<string>; detail?: Opt<string> }[]; limits: { [name: string]: unknown } };
    Update: { source: string; name: string; arch?: Opt<string>; from?: Opt<string>; to: string; origin?: Opt<string>; security: boolean; evidence?: Opt<string>; held: boolean; size?: Opt<number> };
    UpdateList: { state: S["UpdatesState"]; scanned_at?: Opt<string>; reason?: Opt<string>; items: S["Update"][] };
    GuestRef: { id: string; name: string; vmid: number; node: string };
    Bulk: {
      job?: Opt<S["Job"]>;
      targets: { guest: S["GuestRef"]; decision: "accepted" | "skipped"; reason?: Opt<S["Reason"]> }[];
      by_hand?: Opt<{ guests: { guest: S["GuestRef"]; line: string; expires_at: string }[]; nodes: { node: string; line: string; guests: string[] }[] }>;
    };
  };
}

export interface paths {
  "/api/v1/system": { get: Answer<S["System"]> };
  "/api/v1/guests/{id}/updates": { get: Answer<S["UpdateList"]> & Path<"id"> };
  "/api/v1/guests/{id}/agent": { delete: Answer<{ line?: Opt<string> }> & Path<"id"> };
  "/api/v1/guests/bulk-scan": { post: Answer<S["Bulk"], 202> & Body<BulkBody> };
  "/api/v1/guests/bulk-install": { post: Answer<S["Bulk"], 202> & Body<BulkBody> };
  "/api/v1/jobs/{id}/retry": { post: Answer<{ job: S["Job"] }, 202> & Path<"id"> };
}
