import { isKeepsakeError, type JsonObject, type Plugin } from "@keepsake/core";
import type { CaseResult } from "@keepsake/testkit";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { table } from "../output/table.js";
import type { ProviderSuite } from "./provider-suites.js";

/** A suite, and what became of its cases. */
export interface SuiteReport {
  readonly suite: ProviderSuite;
  readonly results: readonly CaseResult[];
}

const STATUSES = ["passed", "inverse", "failed", "not_checked"] as const;

/** How many cases of the suites ended in each way. */
function countsOf(reports: readonly SuiteReport[]): Readonly<Record<(typeof STATUSES)[number], number>> {
  const results = reports.flatMap((report) => report.results);
  const count = (wanted: string): number => results.filter(({ status }) => status === wanted).length;
  return {
    passed: count("passed"),
    inverse: count("inverse"),
    failed: count("failed"),
    not_checked: count("not_checked"),
  };
}

function messageOf(error: unknown): string {
  if (isKeepsakeError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** The document of `--json`. */
export function reportDocument(plugin: Plugin, origin: string, reports: readonly SuiteReport[]): JsonObject {
  return {
    plugin: plugin.name,
    file: origin,
    ok: isOk(reports),
    suites: reports.map(({ suite, results }) => ({
      kind: suite.kind,
      name: suite.name,
      ...countsOf([{ suite, results }]),
      cases: results.map(({ id, says, status, error, reason }) => ({
        id,
        says,
        status,
        ...(status === "failed" ? { error: messageOf(error) } : {}),
        ...(reason === undefined ? {} : { reason }),
      })),
    })),
  };
}

/** A table of all cases, then what the failed ones failed with, then the numbers. */
export function reportText(reports: readonly SuiteReport[], style: Style): string {
  const paint = { passed: style.green, inverse: style.green, failed: style.red, not_checked: style.yellow };
  const rows = reports.flatMap(({ suite, results }) =>
    results.map(({ id, says, status }) => [
      printable(suite.name),
      printable(id),
      paint[status](status),
      printable(says),
    ]),
  );
  const lines = [table([{ head: "of" }, { head: "case" }, { head: "result" }, { head: "it says" }], rows, style)];
  for (const { suite, results } of reports) {
    for (const { id, status, error, reason } of results) {
      if (reason !== undefined) lines.push(`\n${style.yellow(id)} is not judged here: ${printable(reason)}\n`);
      if (status !== "failed") continue;
      const message = messageOf(error).split("\n").slice(0, 12).map(printable).join("\n    ");
      lines.push(`\n${style.red(id)} of ${printable(suite.name)}\n    ${message}\n`);
    }
  }
  const counts = countsOf(reports);
  const told = STATUSES.filter((status) => counts[status] > 0 || status === "passed");
  lines.push(`\n${told.map((status) => `${String(counts[status])} ${status.replace("_", " ")}`).join(", ")}\n`);
  return lines.join("");
}

/** True when no case failed: one that was not asked for the sake of another has that one to show for it. */
export function isOk(reports: readonly SuiteReport[]): boolean {
  return countsOf(reports).failed === 0;
}
