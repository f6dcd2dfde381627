import { useNavigate } from "@tanstack/react-router";
import { useHasRole } from "../../app/session";
import { Dialog } from "../../parts/Dialog";
import { Note } from "../../parts/Note";
import { AddressStep } from "./AddressStep";
import { CertificateStep } from "./CertificateStep";
import { FoundStep } from "./FoundStep";
import { useAddCluster } from "./flow";
import { RightsStep } from "./RightsStep";
import { StepList } from "./StepList";
import { TokenStep } from "./TokenStep";
import { words } from "./words";

/** Adds a cluster in five steps: address, certificate, token, rights, discovery. */
export function AddClusterDialog() {
  const flow = useAddCluster();
  const mayManage = useHasRole("admin");
  const navigate = useNavigate();
  const close = () => void navigate({ to: "/settings/clusters" });
  if (!mayManage) {
    return (
      <Dialog title={words.title} closeButton onClose={close}>
        <Note kind="info" title={words.needsAdmin}>{words.needsAdminText}</Note>
      </Dialog>
    );
  }
  const content = { address: AddressStep, certificate: CertificateStep, token: TokenStep, rights: RightsStep, found: FoundStep }[flow.step](flow);
  const typed = flow.step !== "found" && (flow.draft.address !== "" || flow.draft.secret !== "");
  return (
    <Dialog title={content.title} aside={<StepList flow={flow} />} footer={content.footer} width="wide" keep={typed} onClose={close} closeButton>
      {content.body}
    </Dialog>
  );
}
