export const clusterTabs = ["rights", "certificate", "discovery", "settings"] as const;
export type ClusterTab = (typeof clusterTabs)[number];
