/** Writes the tables of docs/conformance.md anew from the cases themselves; a test compares. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeConformance } from "../packages/testkit/dist/index.js";
import { root } from "./lib.mjs";

const file = join(root, "docs/conformance.md");
const BEGIN = "<!-- cases: node scripts/conformance-doc.mjs -->";

const cases = describeConformance();
const ports = [...new Set(cases.map(({ port }) => port))];
const tables = ports.map((port) => {
  const rows = cases.filter((one) => one.port === port);
  const lines = rows.map(({ id, says, needs }) => `| \`${id}\` | ${says.replaceAll("|", "\\|")} | ${needs ?? ""} |`);
  return `### ${port} (${rows.length})\n\n| Case | It says | Needs |\n|---|---|---|\n${lines.join("\n")}\n`;
});
const text = readFileSync(file, "utf8");
writeFileSync(file, `${text.slice(0, text.indexOf(BEGIN))}${BEGIN}\n\n${tables.join("\n")}`);
