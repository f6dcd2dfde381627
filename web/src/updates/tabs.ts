/** The ways to look at what is out of date; which one is in the address. */
export const groupings = ["guest", "unknown"] as const;
export type Grouping = (typeof groupings)[number];
