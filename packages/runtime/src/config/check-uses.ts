import { isKeepsakeError, parseAgentId } from "@keepsake/core";
import { checkOptions } from "../kernel/check-options.js";
import { callPlugin } from "../kernel/plugin-call.js";
import { hasPlaceholders } from "./expand.js";
import type { Check } from "./check.js";
import { checkStoreParts, type StoreCycle } from "./check-store-parts.js";
import { isUse, list, type Loose, record } from "./loose.js";
import { knownKeys, optionsSchema } from "./json-schema.js";
import type { ConfigProblems } from "./problems.js";
import { encryptionOptions, lockOptions, OWN_ENCRYPTION_KEYS, OWN_KEYS, optionsOf } from "./provider-options.js";
import { DEFAULT_ENCRYPTION, type ResolvedConfig } from "./schema.js";
import { unknownName, unknownWord } from "./suggestion.js";

type Path = readonly PropertyKey[];

/**
 * Checks what the plugins know and the schema does not: names after `use`, the options of every entry, presets, ids.
 *
 * @param config with all defaults; or, when it has other mistakes already, as it was written: what is malformed is skipped
 * @returns the circles among stores, which have an error of their own
 */
export async function checkUses(config: unknown, written: unknown, check: Check): Promise<readonly StoreCycle[]> {
  const root = record(config);
  const agents = record(root["agents"]);
  for (const name of Object.keys(agents)) checkAgentName(name, check.problems);
  const layers: readonly (readonly [Path, Loose])[] = [
    [[], root],
    ...Object.entries(agents).map(([name, entry]) => [["agents", name], record(entry)] as const),
  ];
  for (const [path, layer] of layers) await checkLayer(path, layer, check);
  await checkList(["events", "publishers"], "events", record(root["events"])["publishers"], check);
  await checkPolicies(record(root["redaction"]), check);
  await checkLock(record(root["lock"]), check);
  // Written alone it has no defaults.
  const encryption = { use: DEFAULT_ENCRYPTION, ...record(root["encryption"]) };
  await checkEncryption(encryption, record(record(written)["encryption"]), check);
  return checkStoreParts(root, check);
}

function checkAgentName(name: string, problems: ConfigProblems): void {
  if (name === "*") return;
  try {
    parseAgentId(name);
  } catch {
    problems.add(["agents", name], 'is neither "*" nor an agent id (1 to 64 of [a-z0-9_-], not with _ or - at an end)');
  }
}

async function checkLayer(path: Path, layer: Loose, check: Check): Promise<void> {
  const { registry, problems } = check;
  await checkList([...path, "sources"], "source", layer["sources"], check);
  await checkList([...path, "state"], "state", layer["state"], check);
  await checkList([...path, "codecs"], "codec", layer["codecs"], check);
  await checkStores([...path, "stores"], record(layer["stores"]), check);
  const preset = layer["preset"];
  // The default preset is not asked for where sources stand instead of it.
  if (typeof preset !== "string" || (preset === "directory" && layer["sources"] !== undefined)) return;
  const found = registry.preset(preset);
  if (!found) {
    if (check.someMissing !== true)
      problems.add([...path, "preset"], unknownName("preset", preset, registry.presetNames()));
    return;
  }
  await checkList([...path, "preset"], "source", found.sources, check, `its sources`);
  await checkList([...path, "preset"], "state", found.state, check, `its state`);
}

/** @param inPreset set for the entries of a preset, which have no place in the file: the problem is put to the preset's name */
async function checkList(
  path: Path,
  kind: "source" | "state" | "codec" | "events",
  value: unknown,
  check: Check,
  inPreset?: string,
): Promise<void> {
  const ids = new Set<string>();
  for (const [index, entry] of list(value).entries()) {
    if (!isUse(entry)) continue;
    const at = inPreset === undefined ? [...path, index] : path;
    const prefix = inPreset === undefined ? "" : `${inPreset}[${index}]: `;
    await checkEntry(at, kind, entry.use, optionsOf(kind, entry), check, prefix);
    if (kind === "codec") continue;
    // An entry without an id gets its provider's: two of them would have the same.
    const id = typeof entry.id === "string" ? `id ${entry.id}` : `use ${entry.use}`;
    if (ids.has(id))
      check.problems.add(at, `${prefix}a second entry with the same ${id}; give each an \`id\` of its own`);
    ids.add(id);
  }
}

async function checkStores(path: Path, stores: Loose, check: Check): Promise<void> {
  const names = Object.keys(stores);
  if (path.length === 1 && names.length > 0 && !names.includes("primary")) {
    check.problems.add(path, "one of the stores must be called primary");
  }
  for (const [name, entry] of Object.entries(stores)) {
    if (!isUse(entry)) continue;
    if (hasPlaceholders(entry)) {
      check.problems.add([...path, name], "a store holds all agents: {agent} and {tenant} are not filled in here");
    }
    await checkEntry([...path, name], "store", entry.use, optionsOf("store", entry), check);
  }
}

async function checkPolicies(redaction: Loose, check: Check): Promise<void> {
  const policies = redaction["policies"];
  for (const [index, entry] of list(policies).entries()) {
    const path = ["redaction", "policies", index];
    if (typeof entry === "string") await checkEntry(path, "redaction", entry, {}, check);
    else if (isUse(entry)) await checkEntry(path, "redaction", entry.use, optionsOf("redaction", entry), check);
  }
  if (redaction["default"] !== false && Array.isArray(policies) && policies.length === 0) {
    check.problems.add(
      ["redaction", "policies"],
      "redaction is on by default and there is no policy; set redaction.default: false to go without",
    );
  }
}

async function checkLock(lock: Loose, check: Check): Promise<void> {
  if (!isUse(lock)) return;
  const options = lockOptions(lock as ResolvedConfig["lock"], check.registry.find("lock", lock.use));
  await checkEntry(["lock"], "lock", lock.use, options, check);
}

/** Where nothing is encrypted the plugin may be missing. */
async function checkEncryption(encryption: Loose, written: Loose, check: Check): Promise<void> {
  const recipients = list(encryption["recipients"]);
  const own = encryptionOptions(encryption as ResolvedConfig["encryption"]);
  // A provider's own option, a passphrase, may stand for recipients; the provider then says what is missing.
  if (encryption["enabled"] === true && recipients.length === 0 && Object.keys(own).length === 0) {
    check.problems.add(["encryption", "recipients"], "encryption is enabled and there is no recipient");
  }
  const { registry, problems } = check;
  if (!isUse(encryption)) return;
  if (!registry.find("codec", encryption.use)) {
    const asked = encryption["enabled"] === true || written["use"] !== undefined;
    if (asked && check.someMissing !== true)
      problems.add(["encryption", "use"], unknownName("codec", encryption.use, registry.names("codec")));
    return;
  }
  if (recipients.length === 0 && Object.keys(own).length === 0) return;
  await checkEntry(
    ["encryption"],
    "codec",
    encryption.use,
    recipients.length === 0 ? own : { ...own, recipients },
    check,
    "",
    OWN_ENCRYPTION_KEYS,
  );
}

async function checkEntry(
  path: Path,
  kind: keyof typeof OWN_KEYS,
  use: string,
  options: Loose,
  { registry, problems, timeoutMs, failures, broken, someMissing = false }: Check,
  prefix = "",
  ownKeys: readonly string[] = OWN_KEYS[kind],
): Promise<void> {
  const found = registry.find(kind, use);
  if (!found) {
    if (someMissing) return;
    problems.add(
      [...path, ...(prefix === "" ? ["use"] : [])],
      `${prefix}${unknownName(kind, use, registry.names(kind))}`,
    );
    return;
  }
  const part = { plugin: found.plugin, part: `options of ${kind} provider ${use}` };
  const result = await callPlugin(part, timeoutMs, () => checkOptions(found.provider, options)).catch(
    (error: unknown) => {
      if (!isKeepsakeError(error)) throw error;
      failures.push({ path, error });
      broken.add(found.provider);
    },
  );
  if (!result?.problems) return;
  const schema = optionsSchema(found);
  for (const problem of result.problems) {
    const parent = problem.path.slice(0, -1);
    const known = () => [...(schema ? knownKeys(schema, parent) : []), ...(parent.length === 0 ? ownKeys : [])];
    const message =
      problem.unknownKey === undefined ? problem.message : unknownWord("key", problem.unknownKey, known());
    const at = prefix === "" ? [...path, ...problem.path] : path;
    problems.add(at, prefix === "" ? message : `${prefix}${problem.path.map(String).join(".")}: ${message}`);
  }
}
