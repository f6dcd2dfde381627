const oneDigit = new Intl.NumberFormat("en", { maximumFractionDigits: 1, useGrouping: false });

/** Memory and disks as PVE shows them, in powers of 1024. */
export function binarySize(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${oneDigit.format(gib)}\u00A0GiB` : `${Math.round(bytes / 2 ** 20)}\u00A0MiB`;
}

/** Downloads in powers of 1000. */
export function downloadSize(bytes: number): string {
  return bytes >= 100_000 ? `${oneDigit.format(bytes / 1e6)}\u00A0MB` : `${Math.max(1, Math.round(bytes / 1000))}\u00A0kB`;
}
