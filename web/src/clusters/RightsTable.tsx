import { useState } from "react";
import type { TestReport } from "../api/model";
import { Choice } from "../parts/Choice";
import { CopyBlock } from "../parts/CopyBlock";
import { Glyph } from "../parts/Glyph";
import { Note } from "../parts/Note";
import styles from "./RightsTable.module.css";
import { type Release, releases } from "./add/pveum";
import { words } from "./add/words";

/** What the token may do, feature by feature; what is missing, what is too much, and the lines that change it. */
export function RightsTable({ report }: { report: TestReport }) {
  return (
    <>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{words.for}</th>
            <th scope="col">{words.right}</th>
            <th scope="col">{words.found}</th>
          </tr>
        </thead>
        <tbody>
          {report.features.map((feature) => (
            <tr key={feature.name}>
              <th scope="row">
                <span className={styles.for}>
                  <Glyph name={feature.ok ? "succeeded" : "step"} tone={feature.ok ? "good" : feature.used ? "warn" : "quiet"} />
                  {feature.label}
                  {!feature.used && <span className={styles.quiet}>{words.later}</span>}
                </span>
              </th>
              <td>
                <code>{feature.rights.join(", ")}</code>
              </td>
              <td className={feature.ok || !feature.used ? styles.quiet : styles.missing}>{feature.ok ? words.yes : words.missing([...new Set(feature.missing.map(({ path }) => path))].join(", "))}</td>
            </tr>
          ))}
          {report.excess.length > 0 && (
            <tr>
              <th scope="row">
                <span className={styles.for}>
                  <Glyph name="attention" tone="warn" />
                  {words.excess}
                </span>
              </th>
              <td>
                <code>{report.excess.join(", ")}</code>
              </td>
              <td className={styles.missing}>{words.tooMany}</td>
            </tr>
          )}
        </tbody>
      </table>
      <RightsLines report={report} />
      {report.needless && (
        <div className={styles.lines}>
          <p>{words.needless(report.needless.rights.join(", "))}</p>
          <CopyBlock text={report.needless.pveum} label={words.runThis} />
        </div>
      )}
      {report.warnings.map((warning) => (
        <Note key={warning} kind="warn">
          {warning}
        </Note>
      ))}
    </>
  );
}

/** Counts of single rights that this version uses, for the one sentence above the table. */
export function missingRights(report: TestReport): number {
  return new Set(report.features.flatMap((feature) => (feature.used ? feature.missing : []).map(({ right }) => right))).size;
}

function RightsLines({ report }: { report: TestReport }) {
  const [release, setRelease] = useState<Release>(report.version.startsWith("8") ? "8" : "9");
  const lines = report.pveum[release];
  if (missingRights(report) + report.excess.length === 0 || !lines) return null;
  return (
    <div className={styles.lines}>
      <div className={styles.head}>
        <p>{words.runThis}</p>
        <Choice label={words.release} value={release} onChange={setRelease} options={releases.map((value) => ({ value, label: `PVE ${value}` }))} />
      </div>
      <CopyBlock text={lines} label={words.runThis} />
    </div>
  );
}
