import type { ReactNode } from "react";
import { FieldError } from "react-aria-components/FieldError";
import { Input } from "react-aria-components/Input";
import { Label } from "react-aria-components/Label";
import { Text } from "react-aria-components/Text";
import { TextArea } from "react-aria-components/TextArea";
import { TextField } from "react-aria-components/TextField";
import styles from "./Field.module.css";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: ReactNode;
  error?: string;
  type?: "text" | "password" | "url" | "number";
  placeholder?: string;
  autoComplete?: string;
  autoFocus?: boolean;
  required?: boolean;
  lines?: number;
  mono?: boolean;
}

/** A labelled input. The server's word about a field stands directly below it. */
export function Field({ label, value, onChange, hint, error, type = "text", placeholder, autoComplete = "off", autoFocus, required, lines, mono }: Props) {
  const input = `${styles.input} ${mono ? styles.mono : ""}`;
  return (
    <TextField className={styles.field} value={value} onChange={onChange} isInvalid={error !== undefined} isRequired={required} validationBehavior="aria" autoFocus={autoFocus} autoComplete={autoComplete} type={type}>
      <Label className={styles.label}>{label}</Label>
      {lines ? <TextArea className={input} rows={lines} placeholder={placeholder} spellCheck="false" /> : <Input className={input} placeholder={placeholder} spellCheck="false" />}
      {hint && (
        <Text slot="description" className={styles.hint}>
          {hint}
        </Text>
      )}
      <FieldError className={styles.error}>{error}</FieldError>
    </TextField>
  );
}
