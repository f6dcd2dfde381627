import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { call, send } from "../../api/call";
import type { Certificate, NewCluster, TestReport } from "../../api/model";

export const steps = ["address", "certificate", "token", "rights", "found"] as const;
export type Step = (typeof steps)[number];

export interface Draft {
  readonly address: string;
  readonly name: string;
  readonly tokenId: string;
  readonly secret: string;
  readonly useCa: boolean;
  readonly caPem: string;
}

const empty: Draft = { address: "", name: "", tokenId: "", secret: "", useCa: false, caPem: "" };

/** Everything between an address and a saved cluster. What was typed stays when going back. */
export function useAddCluster() {
  const [draft, setDraft] = useState<Draft>(empty);
  const [step, setStep] = useState<Step>("address");
  const change = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));

  const probe = useMutation({
    mutationFn: () => send(call("post", "/api/v1/proxmox/probe", { body: { url: asUrl(draft.address) } })),
    onSuccess: (certificate: Certificate) => {
      change({ address: certificate.url, name: draft.name || suggestName(certificate) });
      setStep("certificate");
    },
  });
  const body = (): NewCluster => ({
    name: draft.name.trim(),
    endpoints: [draft.address],
    token_id: draft.tokenId.trim(),
    token_secret: draft.secret.trim(),
    tls: tlsOf(draft, probe.data),
  });
  const test = useMutation({
    mutationFn: () => send(call("post", "/api/v1/proxmox/clusters/test", { body: body() })),
    onSuccess: (report: TestReport) => {
      if (report.cluster_name && draft.name === suggestName(probe.data)) change({ name: report.cluster_name });
      setStep("rights");
    },
  });
  const add = useMutation({
    mutationFn: () => send(call("post", "/api/v1/proxmox/clusters", { body: body() })),
    onSuccess: () => setStep("found"),
  });
  return { draft, change, step, setStep, probe, test, add };
}

export type AddFlow = ReturnType<typeof useAddCluster>;

/** "192.168.1.10" means https and port 8006, as PVE has it. */
export function asUrl(address: string): string {
  const trimmed = address.trim().replace(/\/+$/, "");
  const withScheme = /^https?:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  return /:\d+$/.test(withScheme) ? withScheme : `${withScheme}:8006`;
}

function suggestName(certificate: Certificate | undefined): string {
  const subject = certificate?.subject.match(/CN\s*=\s*([^,]+)/)?.[1] ?? certificate?.subject ?? "";
  return subject.split(".")[0] ?? "";
}

function tlsOf(draft: Draft, certificate: Certificate | undefined): NewCluster["tls"] {
  if (draft.useCa) return { mode: "cluster_ca", ca_pem: draft.caPem };
  if (certificate?.trusted) return { mode: "system" };
  return { mode: "pinned", fingerprint: certificate?.fingerprint };
}
