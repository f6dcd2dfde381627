/** The nouns of the product, as the API sends them. */
import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Action = Schemas["Action"];
export type Agent = Schemas["GuestAgent"];
export type AuditEntry = Schemas["AuditEntry"];
export type Bulk = Schemas["Bulk"];
export type Certificate = Schemas["ProbeReport"];
export type Cluster = Schemas["Cluster"];
export type DiscoveryRow = Schemas["Discovery"];
export type Guest = Schemas["Guest"];
export type Hierarchy = Schemas["Hierarchy"];
export type Job = Schemas["Job"];
export type JobTarget = Schemas["JobTarget"];
export type LogLine = Schemas["JobLogLine"];
export type NewCluster = Schemas["NewCluster"];
export type Node = Schemas["Node"];
export type ProblemBody = Schemas["Problem"];
export type Role = Schemas["Role"];
export type Rollup = Schemas["Rollup"];
export type Settings = Schemas["Settings"];
export type TestReport = Schemas["TestReport"];
export type Tick = Schemas["Tick"];
export type Token = Schemas["Token"];
export type Update = Schemas["Update"];
export type Updates = Schemas["GuestUpdates"];
export type User = Schemas["User"];
export type Way = Schemas["Way"];
export type Work = Schemas["GuestWork"];
