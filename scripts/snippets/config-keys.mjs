/** Compares docs/configuration.md with the JSON Schema that the command prints: no key may be missing, and none invented. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CLI, root } from "../lib.mjs";

const FILE = "docs/configuration.md";
const KINDS = ["source", "state", "codec", "store", "redaction", "events"];

/** @returns problems with file and line */
export function checkConfigKeys(temporary) {
  const env = { ...process.env, HOME: temporary, KEEPSAKE_CONFIG: "" };
  const run = spawnSync(process.execPath, [CLI, "config", "schema"], { cwd: temporary, env, encoding: "utf8" });
  if (run.status !== 0)
    return [{ file: FILE, line: 1, message: `config schema ended with ${run.status}\n${run.stderr}` }];
  const schema = JSON.parse(run.stdout);
  const sections = sectionsOf(readFileSync(join(root, FILE), "utf8"));
  const expected = new Map([["Keys", topKeys(schema)]]);
  for (const kind of KINDS) {
    for (const variant of schema.$defs[kind]?.oneOf ?? []) {
      const keys = Object.keys(variant.properties).filter((key) => !["use", "id"].includes(key));
      expected.set(`${kind} \`${variant.properties.use.const}\``, keys);
    }
  }
  return [...expected].flatMap(([heading, keys]) => compare(sections.get(heading), heading, keys));
}

function compare(section, heading, keys) {
  if (section === undefined) return [{ file: FILE, line: 1, message: `there is no section "${heading}"` }];
  const missing = keys.filter((key) => !section.keys.has(key));
  const invented = [...section.keys].filter((key) => key !== "id" && !keys.includes(key));
  const tell = (message) => ({ file: FILE, line: section.line, message: `"${heading}": ${message}` });
  return [
    ...missing.map((key) => tell(`the key ${key} is missing`)),
    ...invented.map((key) => tell(`there is no key ${key}`)),
  ];
}

/** The headings of a text, and the names in the first column of their tables. */
function sectionsOf(markdown) {
  const sections = new Map();
  let section;
  for (const [index, line] of markdown.split("\n").entries()) {
    const heading = /^#+ (.*)$/.exec(line)?.[1];
    if (heading !== undefined) sections.set(heading, (section = { line: index + 1, keys: new Set() }));
    const first = /^\| (`[^|]*) \|/.exec(line)?.[1];
    for (const [, key] of first?.matchAll(/`([^`]+)`/g) ?? []) section.keys.add(key);
  }
  return sections;
}

function topKeys(schema) {
  const nested = (node, prefix) =>
    Object.entries(node.properties ?? {}).flatMap(([key, value]) => {
      const target = value.$ref ? schema.$defs[value.$ref.slice("#/$defs/".length)] : value;
      const path = `${prefix}${key}`;
      if (target.properties) return nested(target, `${path}.`);
      const each = target.additionalProperties;
      return each?.properties ? [path, ...nested(each, `${path}.*.`)] : [path];
    });
  return nested(schema, "");
}
