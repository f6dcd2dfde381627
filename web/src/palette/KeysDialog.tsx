import { Facts } from "../parts/Facts";
import { Dialog } from "../parts/Dialog";
import { words } from "./words";

/** The list of keys behind "?". */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={words.keysTitle} closeButton onClose={onClose}>
      <Facts facts={words.keys.map(([keys, meaning]) => [keys, meaning] as const)} />
      <p className="third">{words.keysLead}</p>
    </Dialog>
  );
}
