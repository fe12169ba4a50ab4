import { isKeepsakeError, type JsonObject, KeepsakeError, type Plugin } from "@keepsake/core";
import type { z } from "zod";
import { loadPlugin } from "../plugins/load-plugin.js";
import { PluginRegistry, type PluginSource } from "../plugins/registry.js";
import type { StoreCycle } from "./check-store-parts.js";
import type { Check } from "./check.js";
import { checkUses } from "./check-uses.js";
import { expandConfig } from "./expand.js";
import { knownKeys, shapeSchema } from "./json-schema.js";
import { ConfigProblems, pathText } from "./problems.js";
import { type ConfigDocument, type ConfigSource, readConfig } from "./read-config.js";
import { configShape, type ResolvedConfig } from "./schema.js";
import { defaultStateRoot, resolvePath } from "./state-root.js";
import { unknownWord } from "./suggestion.js";

/** What a configuration is made from. */
export interface ConfigRequest {
  /** absent: the built-in defaults */
  readonly source?: ConfigSource | undefined;
  /** loaded in every case, before those that the configuration names */
  readonly plugins: readonly Plugin[];
  /** overrides `state_root` */
  readonly stateRoot?: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** how long a plugin may take to load, and to check its options */
  readonly timeoutMs: number;
}

/** A checked configuration and the plugins it is for. */
export interface LoadedConfig {
  readonly config: ResolvedConfig;
  readonly registry: PluginRegistry;
  /** absolute path; undefined when it was not read from a file */
  readonly file: string | undefined;
  /** relative paths in it are relative to this absolute folder */
  readonly baseDir: string;
}

/**
 * Reads a configuration, loads its plugins and checks everything; makes nothing.
 *
 * @throws KeepsakeError `E_CONFIG` with all problems at once; `E_PLUGIN_LOAD`, `E_PLUGIN_API`, `E_PLUGIN_DUPLICATE`,
 *   `E_PLUGIN_TIMEOUT`, `E_PLUGIN_CYCLE` when stores are made of each other in a circle
 */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const document = await readConfig(request.source, request.cwd);
  const problems = new ConfigProblems(document);
  const written = expandConfig(document.value, request.env, problems);
  const parsed = configShape.safeParse(written);
  if (parsed.error) addShapeProblems(parsed.error.issues, problems);
  const { sources, failed } = await loadPlugins(pluginEntries(written), document.baseDir, request);
  const registry = registryOf(sources, problems);
  const config = parsed.success ? completed(parsed.data, document, request, registry) : undefined;
  const { timeoutMs } = request;
  const check: Check = {
    registry,
    problems,
    timeoutMs,
    someMissing: failed.length > 0,
    failures: [],
    broken: new Set(),
  };
  const cycles = await checkUses(config ?? written, written, check);
  tellFailed([...failed, ...check.failures], problems, document);
  tellCycles(cycles, problems, document);
  problems.throwIfAny();
  if (!config) throw new TypeError("A configuration that does not parse has problems.");
  const file = document.origin === "file" ? document.file : undefined;
  return { config, registry, file, baseDir: document.baseDir };
}

/**
 * The plugins that can be loaded, whatever else is wrong: an editor's schema is needed most where a configuration is wrong.
 *
 * @returns those of the request alone where the file cannot be read
 */
export async function loadablePlugins(request: ConfigRequest): Promise<PluginRegistry> {
  const document = await readConfig(request.source, request.cwd).catch((error: unknown) => {
    if (!isKeepsakeError(error)) throw error;
    return readConfig(undefined, request.cwd);
  });
  const written = expandConfig(document.value, request.env, new ConfigProblems(document));
  const { sources } = await loadPlugins(pluginEntries(written), document.baseDir, request);
  let registry = new PluginRegistry([]);
  for (const source of sources) {
    try {
      registry = new PluginRegistry([...registry.plugins, source]);
    } catch (error) {
      // Two of one name: the first stands.
      if (!isKeepsakeError(error)) throw error;
    }
  }
  return registry;
}

type Issue = z.core.$ZodIssue;

function addShapeProblems(issues: readonly Issue[], problems: ConfigProblems): void {
  let schema: JsonObject | undefined;
  for (const issue of issues) {
    if (issue.code !== "unrecognized_keys") {
      problems.add(issue.path, issue.message);
      continue;
    }
    schema ??= shapeSchema();
    const known = knownKeys(schema, issue.path);
    for (const key of issue.keys) problems.add([...issue.path, key], unknownWord("key", key, known));
  }
}

function pluginEntries(written: unknown): readonly unknown[] {
  const entries = typeof written === "object" && written !== null && "plugins" in written ? written.plugins : [];
  return Array.isArray(entries) ? entries : [];
}

/** A plugin that could not be loaded, or failed when it was asked about options, and where the configuration names it. */
interface FailedPlugin {
  readonly path: readonly PropertyKey[];
  readonly error: KeepsakeError;
}

/** Loads all that can be loaded: one that cannot must not hide the mistakes elsewhere. */
async function loadPlugins(
  entries: readonly unknown[],
  baseDir: string,
  { plugins, timeoutMs }: ConfigRequest,
): Promise<{ readonly sources: readonly PluginSource[]; readonly failed: readonly FailedPlugin[] }> {
  const sources: PluginSource[] = [];
  const failed: FailedPlugin[] = [];
  for (const plugin of plugins) sources.push(await loadPlugin(plugin, { baseDir, timeoutMs }));
  for (const [index, entry] of entries.entries()) {
    // Other types are problems of the schema already.
    if (typeof entry !== "string" && (typeof entry !== "object" || entry === null)) continue;
    if (entry === "") continue;
    try {
      sources.push(await loadPlugin(entry as string | Plugin, { baseDir, timeoutMs }));
    } catch (error) {
      if (!isKeepsakeError(error)) throw error;
      failed.push({ path: ["plugins", index], error });
    }
  }
  return { sources, failed };
}

/** @throws KeepsakeError `E_PLUGIN_DUPLICATE`, or `E_CONFIG` because of it where the configuration has mistakes as well */
function registryOf(sources: readonly PluginSource[], problems: ConfigProblems): PluginRegistry {
  try {
    return new PluginRegistry(sources);
  } catch (error) {
    problems.throwIfAny(error);
    throw error;
  }
}

/** @throws KeepsakeError the first plugin's own where it is the only mistake; else `E_CONFIG` with all of them */
function tellFailed(failed: readonly FailedPlugin[], problems: ConfigProblems, document: ConfigDocument): void {
  const [first] = failed;
  if (first === undefined) return;
  if (problems.found || failed.length > 1) {
    for (const { path, error } of failed) problems.add(path, error.message);
    problems.throwIfAny(first.error);
  }
  const { code, message, context, hint, retry } = first.error;
  const { line } = document.locate(first.path) ?? {};
  const place = { config: document.file, path: pathText(first.path), ...(line === undefined ? {} : { line }) };
  throw new KeepsakeError(code, message, { cause: first.error.cause, context: { ...context, ...place }, hint, retry });
}

/** @throws KeepsakeError `E_PLUGIN_CYCLE` where a circle of stores is the only mistake; else `E_CONFIG` with all of them */
function tellCycles(cycles: readonly StoreCycle[], problems: ConfigProblems, document: ConfigDocument): void {
  const [first] = cycles;
  if (first === undefined) return;
  const saying = ({ cycle }: StoreCycle): string => `stores are made of each other in a circle: ${cycle.join(" → ")}`;
  if (problems.found || cycles.length > 1) {
    for (const one of cycles) problems.add(one.path, saying(one));
    return;
  }
  const { line } = document.locate(first.path) ?? {};
  const path = pathText(first.path);
  const place = `${document.file}: ${path}${line === undefined ? "" : ` (line ${line})`}`;
  throw new KeepsakeError("E_PLUGIN_CYCLE", `${place}: ${saying(first)}.`, {
    context: { cycle: first.cycle, config: document.file, path, ...(line === undefined ? {} : { line }) },
  });
}

function completed(
  parsed: z.output<typeof configShape>,
  document: ConfigDocument,
  { stateRoot, cwd, env, plugins }: ConfigRequest,
  registry: PluginRegistry,
): ResolvedConfig {
  const root = stateRootOf(parsed.state_root, document, stateRoot, cwd, env);
  return {
    ...parsed,
    state_root: root,
    stores: parsed.stores ?? { primary: { use: "local-fs", root } },
    plugins: registry.plugins.slice(plugins.length).map(({ plugin }) => plugin.name),
  };
}

function stateRootOf(
  configured: string | undefined,
  document: ConfigDocument,
  override: string | undefined,
  cwd: string,
  env: ConfigRequest["env"],
): string {
  if (override !== undefined) return resolvePath(override, cwd, env);
  if (configured !== undefined) return resolvePath(configured, document.baseDir, env);
  // A configuration has its state beside it; without one there is no place that would be beside.
  return document.origin === "none" ? defaultStateRoot(cwd, env) : resolvePath("./state", document.baseDir, env);
}
