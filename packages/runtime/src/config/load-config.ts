import type { JsonObject, Plugin } from "@keepsake/core";
import type { z } from "zod";
import { loadPlugin } from "../plugins/load-plugin.js";
import { PluginRegistry, type PluginSource } from "../plugins/registry.js";
import { checkUses } from "./check-uses.js";
import { expandConfig } from "./expand.js";
import { knownKeys, shapeSchema } from "./json-schema.js";
import { ConfigProblems } from "./problems.js";
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
 *   `E_PLUGIN_TIMEOUT`
 */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const document = await readConfig(request.source, request.cwd);
  const problems = new ConfigProblems(document);
  const written = expandConfig(document.value, request.env, problems);
  const parsed = configShape.safeParse(written);
  if (parsed.error) addShapeProblems(parsed.error.issues, problems);
  const registry = await loadPlugins(pluginEntries(written), document.baseDir, request).catch((error: unknown) => {
    problems.throwIfAny(error);
    throw error;
  });
  const config = parsed.success ? completed(parsed.data, document, request, registry) : undefined;
  await checkUses(config ?? written, written, { registry, problems, timeoutMs: request.timeoutMs });
  problems.throwIfAny();
  if (!config) throw new TypeError("A configuration that does not parse has problems.");
  const file = document.origin === "file" ? document.file : undefined;
  return { config, registry, file, baseDir: document.baseDir };
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

async function loadPlugins(
  entries: readonly unknown[],
  baseDir: string,
  { plugins, timeoutMs }: ConfigRequest,
): Promise<PluginRegistry> {
  const loaded: PluginSource[] = [];
  for (const plugin of plugins) loaded.push(await loadPlugin(plugin, { baseDir, timeoutMs }));
  for (const entry of entries) {
    // Other types are problems of the schema already.
    if (typeof entry !== "string" && (typeof entry !== "object" || entry === null)) continue;
    if (entry === "") continue;
    loaded.push(await loadPlugin(entry as string | Plugin, { baseDir, timeoutMs }));
  }
  return new PluginRegistry(loaded);
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
