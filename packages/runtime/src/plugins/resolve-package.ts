import { readFile, realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isJsonObject, type JsonValue } from "@keepsake/core";

const CONDITIONS = new Set(["node", "import", "module-sync", "default"]);

/** The module a package name leads to, and the version its package.json says. */
export interface ResolvedPackage {
  readonly file: string;
  readonly version?: string;
}

/**
 * Resolves a package name as `import` would from a module in `fromDir`. Node's own `import.meta.resolve` takes no other
 * folder than the caller's, and `require.resolve` does not see packages that only export for `import`.
 *
 * @throws Error when there is no such package, or it exports nothing under this name
 */
export async function resolvePackage(specifier: string, fromDir: string): Promise<ResolvedPackage> {
  const { name, subpath } = split(specifier);
  for (let dir = fromDir; ; dir = dirname(dir)) {
    const folder = join(dir, "node_modules", name);
    const manifest = await readManifest(join(folder, "package.json"));
    if (manifest)
      return describe(await realpath(await entryOf(specifier, subpath, folder, manifest, fromDir)), manifest);
    if (dirname(dir) === dir) break;
  }
  // Packages known to Node in other ways (NODE_PATH, a loader).
  return { file: createRequire(join(fromDir, "config.js")).resolve(specifier) };
}

/**
 * The main module of the package in a folder, which need not be installed anywhere.
 *
 * @returns undefined when the folder has no package.json
 * @throws Error when the package exports no module
 */
export async function resolvePackageFolder(folder: string): Promise<ResolvedPackage | undefined> {
  const manifest = await readManifest(join(folder, "package.json"));
  if (manifest === undefined) return undefined;
  const { exports: exported, main } = manifest;
  const target =
    exported === undefined ? (typeof main === "string" ? main : "index.js") : exportedTarget(exported, ".");
  if (target === undefined) throw new Error("the package does not export .");
  return describe(join(folder, target), manifest);
}

type PackageManifest = Readonly<Record<string, JsonValue>>;

function describe(file: string, manifest: PackageManifest): ResolvedPackage {
  const version = manifest["version"];
  return typeof version === "string" ? { file, version } : { file };
}

function split(specifier: string): { readonly name: string; readonly subpath: string } {
  const parts = specifier.split("/");
  const length = specifier.startsWith("@") ? 2 : 1;
  return { name: parts.slice(0, length).join("/"), subpath: [".", ...parts.slice(length)].join("/") };
}

async function readManifest(file: string): Promise<PackageManifest | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return undefined;
  }
  const value = JSON.parse(text) as JsonValue;
  return isJsonObject(value) ? value : {};
}

async function entryOf(
  specifier: string,
  subpath: string,
  folder: string,
  manifest: PackageManifest,
  fromDir: string,
): Promise<string> {
  const exported = manifest["exports"];
  // Without `exports`, `main` and index.js decide, as for require.
  if (exported === undefined) return createRequire(join(fromDir, "config.js")).resolve(specifier);
  const target = exportedTarget(exported, subpath);
  if (target?.startsWith("./") !== true) throw new Error(`the package does not export ${subpath}`);
  return join(folder, target);
}

/** The algorithm of Node's documentation, PACKAGE_EXPORTS_RESOLVE. */
function exportedTarget(exported: JsonValue, subpath: string): string | undefined {
  const isMap = isJsonObject(exported) && Object.keys(exported).some((key) => key.startsWith("."));
  if (!isMap) return subpath === "." ? conditionalTarget(exported, "") : undefined;
  const exact = exported[subpath];
  if (exact !== undefined && !subpath.includes("*")) return conditionalTarget(exact, "");
  const patterns = Object.keys(exported)
    .filter((key) => key.split("*").length === 2)
    .sort((a, b) => b.indexOf("*") - a.indexOf("*") || b.length - a.length);
  for (const pattern of patterns) {
    const [before = "", after = ""] = pattern.split("*");
    if (!subpath.startsWith(before) || !subpath.endsWith(after) || subpath.length < pattern.length) continue;
    return conditionalTarget(exported[pattern] ?? null, subpath.slice(before.length, subpath.length - after.length));
  }
  return undefined;
}

function conditionalTarget(target: JsonValue, star: string): string | undefined {
  if (typeof target === "string") return target.replaceAll("*", star);
  if (Array.isArray(target)) {
    for (const item of target as readonly JsonValue[]) {
      const found = conditionalTarget(item, star);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isJsonObject(target)) return undefined;
  for (const [condition, value] of Object.entries(target)) {
    const found = CONDITIONS.has(condition) ? conditionalTarget(value, star) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
