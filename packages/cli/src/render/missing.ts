import type { JsonObject, Manifest } from "@keepsake/core";
import { printable } from "../output/printable.js";
import { countText } from "../output/units.js";

/** Something expected that a snapshot does not hold. */
export interface Missing {
  readonly source: string;
  /** empty for a whole source */
  readonly path: string;
  readonly reason: string;
  readonly code?: string;
  readonly detail?: string;
}

/** What was left out for good reason, and so does not make a snapshot incomplete. */
const EXPECTED = new Set(["excluded", "special_file"]);
const SHOWN = 50;

/** Everything that makes a snapshot incomplete. */
export function missingOf(manifest: Manifest): readonly Missing[] {
  const named = manifest.omitted.filter((item) => !EXPECTED.has(item.reason));
  const sources = manifest.sources.filter((source) => source.status === "absent" && source.required);
  return [
    ...sources
      .filter((source) => !named.some((item) => item.source === source.id))
      .map((source) => ({ source: source.id, path: "", reason: "absent" })),
    ...named.map(({ source, path, reason, code, detail }) => ({
      source,
      path,
      reason,
      ...(code === undefined ? {} : { code }),
      ...(detail === undefined ? {} : { detail }),
    })),
  ];
}

/** The lines for stderr. */
export function missingLines(missing: readonly Missing[]): readonly string[] {
  const lines = missing.slice(0, SHOWN).map((item) => {
    const what = item.path === "" ? `the whole source ${item.source}` : `${item.source}/${item.path}`;
    const why = item.detail ?? item.code;
    return printable(`  ${what}: ${item.reason}${why === undefined ? "" : ` (${why})`}`);
  });
  const rest = missing.length - lines.length;
  return rest > 0 ? [...lines, `  … and ${String(rest)} more (\`show --json\` has all)`] : lines;
}

/** The `E_INCOMPLETE` of `--json`, on stderr beside the document on stdout. */
export function incompleteError(snapshotId: string, missing: readonly Missing[]): JsonObject {
  return {
    code: "E_INCOMPLETE",
    message: `The snapshot was taken, but ${countText(missing.length, "expected thing is", "expected things are")} not in it.`,
    context: { snapshot_id: snapshotId, missing: missing.map((item) => ({ ...item })) },
  };
}
