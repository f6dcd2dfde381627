import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./Button";
import { copyAndSay } from "./copy";
import { words } from "./words";

/** Copies a text and shows a check for a moment. */
export function CopyButton({ text, label = words.copy, iconOnly, look = "ghost" }: { text: string; label?: string; iconOnly?: boolean; look?: "ghost" | "plain" | "primary" }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    setCopied(await copyAndSay(text));
  };
  return (
    <Button look={look} size="small" iconOnly={iconOnly} icon={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />} onPress={copy}>
      {copied ? words.copied : label}
    </Button>
  );
}
