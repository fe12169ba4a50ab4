import type { Manifest } from "@keepsake/core";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { facts, table } from "../output/table.js";
import { ageText, bytesText, countText, timeText } from "../output/units.js";
import { missingOf } from "./missing.js";
import { redactionLists, redactionText } from "./redaction.js";

/** `show` lists at most this many artifacts; `--json` has them all. */
const SHOWN_ARTIFACTS = 40;

/** The facts of a manifest, above its artifacts. */
export function manifestFacts(manifest: Manifest, nowMs: number, style: Style): string {
  const { cut, redactions, encryption, git } = manifest;
  const bytes = manifest.artifacts.reduce((sum, artifact) => sum + artifact.sizeBytes, 0);
  return facts(
    [
      ["snapshot", style.bold(printable(manifest.snapshotId))],
      ["agent", `${printable(manifest.agentId)} (tenant ${printable(manifest.tenant)})`],
      ["label", manifest.label === undefined ? undefined : printable(manifest.label)],
      [
        "created",
        `${timeText(manifest.createdAtMs)} (${ageText(manifest.createdAtMs, nowMs)}) by ${printable(manifest.createdBy)}`,
      ],
      ["moment", cut === undefined ? undefined : momentText(cut)],
      ["content", `${countText(manifest.artifacts.length, "artifact")}, ${bytesText(bytes)}`],
      ["git HEAD", /^0*$/.test(git.headOid) ? undefined : `${git.headOid.slice(0, 12)} ${printable(git.headSubject)}`],
      ["redacted", redactions === undefined ? undefined : redactionText(redactions)],
      [
        "encrypted",
        encryption === undefined
          ? undefined
          : printable(`${encryption.scheme}, to ${encryption.recipientsFingerprint.join(", ")}`),
      ],
      ["schemas", pairsText(manifest.schemaVersions)],
      ["made with", pairsText(manifest.toolVersions)],
      ["digest", manifest.bundleSha256],
      ["seal", manifest.seal.digest],
    ],
    style,
  );
}

function momentText(cut: NonNullable<Manifest["cut"]>): string {
  return `${cut.consistency} (${countText(cut.attempts, "attempt")}, writers held ${cut.heldMs.toFixed(1)} ms)`;
}

function pairsText(pairs: Readonly<Record<string, string | number>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => printable(`${name} ${String(value)}`))
    .join(", ");
}

/** Per source what it brought. */
export function sourceTable(manifest: Manifest, style: Style): string {
  return table(
    [
      { head: "SOURCE" },
      { head: "KIND" },
      { head: "STATUS" },
      { head: "ARTIFACTS", align: "right" },
      { head: "BYTES", align: "right" },
      { head: "LEFT OUT", align: "right" },
    ],
    manifest.sources.map((source) => [
      printable(source.id),
      printable(source.kind),
      source.status + (source.required ? " (required)" : ""),
      String(source.artifacts),
      bytesText(source.bytes),
      source.omitted === 0 ? "" : String(source.omitted),
    ]),
    style,
  );
}

function artifactTable(manifest: Manifest, style: Style): string {
  const shown = manifest.artifacts.slice(0, SHOWN_ARTIFACTS);
  const rest = manifest.artifacts.length - shown.length;
  const lines = table(
    [{ head: "MODE" }, { head: "BYTES", align: "right" }, { head: "SHA-256" }, { head: "PATH" }],
    shown.map((artifact) => [
      { file: "-", symlink: "l", directory: "d" }[artifact.type] + artifact.mode.toString(8).padStart(4, "0"),
      artifact.type === "file" ? bytesText(artifact.sizeBytes) : "",
      artifact.type === "file" ? artifact.sha256.slice(0, 12) : "",
      printable(artifact.pathInBundle) +
        (artifact.linkTarget === undefined ? "" : ` -> ${printable(artifact.linkTarget)}`),
    ]),
    style,
  );
  return rest === 0 ? lines : `${lines}${style.dim(`… and ${String(rest)} more (--json has all)`)}\n`;
}

/** `show`: facts, sources, artifacts, and what is not in it. */
export function manifestText(manifest: Manifest, nowMs: number, style: Style): string {
  const parts = [manifestFacts(manifest, nowMs, style)];
  if (manifest.sources.length > 0) parts.push(sourceTable(manifest, style));
  if (manifest.artifacts.length > 0) parts.push(artifactTable(manifest, style));
  parts.push(...redactionLists(manifest.redactions, style));
  if (manifest.omitted.length > 0) {
    const incomplete = new Set(missingOf(manifest).map((item) => item.path));
    const rows = manifest.omitted.map((item) => [
      printable(`${item.source}/${item.path}`),
      item.reason,
      printable(item.detail ?? item.code ?? ""),
    ]);
    const title = incomplete.size === 0 ? "Left out" : style.yellow("Left out; the snapshot is incomplete");
    parts.push(`${title}:\n${table([{ head: "PATH" }, { head: "REASON" }, { head: "DETAIL" }], rows, style)}`);
  }
  return parts.join("\n");
}
