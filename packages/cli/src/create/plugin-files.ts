import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { isJsonObject, KeepsakeError, type JsonObject, type JsonValue } from "@keepsake/core";
import type { PluginKind } from "./kinds.js";
import { namesOf, type PluginNames } from "./names.js";

/** The text of each file of a new package, by its path with `/`. */
export type PluginFiles = ReadonlyMap<string, string>;

/**
 * Makes a package out of the templates: those of `common`, and over them those of the kind. A template is a working package
 * itself, named "my-<kind>". npm keeps no `.gitignore` in a package, and tools take a `package.json` with `exports` inside of a
 * package for a mistake: so they are `gitignore` and `manifest.json` there.
 *
 * @param templates the folder of the templates
 * @param version of Keepsake's packages, which the new one asks for
 * @throws KeepsakeError `E_USAGE` when a function of this name would clash with one that the template uses
 */
export async function pluginFiles(
  templates: string,
  kind: PluginKind,
  name: string,
  version: string,
): Promise<PluginFiles> {
  const names = namesOf(kind, name);
  const common = await filesIn(join(templates, "common"));
  const own = await filesIn(join(templates, kind));
  const spell = spellingOf(kind, names);
  refuseClash(names, namesOf(kind, `my-${kind}`), [...own.values()]);

  const files = new Map<string, string>();
  for (const [path, text] of [...common, ...own]) {
    if (path !== "manifest.json" && path !== "package.json")
      files.set(path === "gitignore" ? ".gitignore" : spell(path), spell(text));
  }
  // Last: a folder without it is no package yet.
  const manifest = manifestOf(common, own, names, version);
  files.set("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
  return files;
}

async function filesIn(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    files.set(relative(folder, file).split(sep).join("/"), await readFile(file, "utf8"));
  }
  return files;
}

/** Turns the template's name, in every spelling, into the new one. */
function spellingOf(kind: PluginKind, names: PluginNames): (text: string) => string {
  const template = namesOf(kind, `my-${kind}`);
  const pairs = [
    [`@scope/${template.package}`, names.package],
    [template.kebab, names.kebab],
    [template.snake, names.snake],
    [template.camel, names.camel],
    [template.pascal, names.pascal],
  ] as const;
  const bySpelling = new Map<string, string>(pairs);
  const any = new RegExp(pairs.map(([old]) => old).join("|"), "g");
  // In one pass: a new name may hold the template's.
  return (text) => text.replaceAll(any, (old) => bySpelling.get(old) ?? old);
}

function refuseClash(names: PluginNames, template: PluginNames, texts: readonly string[]): void {
  if (names.camel === template.camel) return;
  const word = new RegExp(`\\b(?:${names.camel}|${names.pascal})\\b`);
  if (!texts.some((text) => word.test(text))) return;
  throw new KeepsakeError("E_USAGE", `A plugin named ${names.kebab} would clash with a name that its code uses.`, {
    hint: `Choose another, for example acme-${names.kebab}.`,
  });
}

function manifestOf(
  common: ReadonlyMap<string, string>,
  own: ReadonlyMap<string, string>,
  names: PluginNames,
  version: string,
): JsonObject {
  const merged: Record<string, JsonValue> = { ...parsed(common.get("manifest.json")) };
  for (const [key, value] of Object.entries(parsed(own.get("package.json")))) {
    const before = merged[key];
    merged[key] = isJsonObject(before) && isJsonObject(value) ? sorted({ ...before, ...value }) : value;
  }
  for (const key of ["peerDependencies", "devDependencies", "dependencies"]) {
    const wanted = Object.entries(merged[key] ?? {}) as readonly [string, JsonValue][];
    const pinned = wanted.map(([to, range]) => [to, to.startsWith("@keepsake/") ? `^${version}` : range] as const);
    merged[key] = Object.fromEntries(pinned);
  }
  const { name: _name, version: ownVersion = "0.1.0", description = "", ...rest } = merged;
  return { name: names.package, version: ownVersion, description, ...rest };
}

function parsed(text = "{}"): JsonObject {
  return JSON.parse(text) as JsonObject;
}

function sorted(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
