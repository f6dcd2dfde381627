/** One of the clusters that the simulator runs, as it describes them itself. */
interface Simulated {
  readonly name: string;
  readonly title: string;
  readonly endpoints: readonly string[];
  readonly fingerprint: string;
  readonly token_id: string;
  readonly token_secret: string;
  readonly demo_adds: boolean;
}

const clusters = JSON.parse(process.env.CLUSTERS ?? "[]") as Simulated[];

export function simulatedCluster(name: string): Simulated {
  const found = clusters.find((cluster) => cluster.name === name);
  if (!found) throw new Error(`CLUSTERS names no simulated cluster ${name}`);
  return found;
}
