import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { KeepsakeError, type Plugin } from "@keepsake/core";
import type { SuiteInput } from "../conformance/maker.js";
import { type ProviderSuite, suiteOf } from "../conformance/provider-suites.js";
import { ownFixtures } from "../conformance/own-fixtures.js";
import { readFixtures } from "../conformance/read-fixtures.js";
import { isOk, reportDocument, reportText, type SuiteReport } from "../conformance/report.js";
import type { CommandRun } from "../context.js";
import { exitOf } from "../errors/exit-code.js";
import type { PluginTestOptions } from "../grammar/options.js";

/** An import that takes longer does not end. */
const IMPORT_LIMIT_MS = 30_000;

/** `plugin test`: runs the suites that fit what a plugin provides; 13 when a case fails. */
export const pluginTest: CommandRun<PluginTestOptions> = async (context, { use, only, options }, module = "") => {
  const { cwd, env } = context.terminal;
  const [{ loadPlugin, secretReader }, testkit] = await Promise.all([
    import("@keepsake/runtime"),
    import("@keepsake/testkit"),
  ]);
  const entry = existsSync(resolve(cwd, module)) ? resolve(cwd, module) : module;
  const fixtures = await readFixtures(options ?? (await ownFixtures(entry)), cwd);
  const { plugin, origin } = await loadPlugin(entry, { baseDir: cwd, timeoutMs: IMPORT_LIMIT_MS });
  const input: SuiteInput = { ...fixtures, plugin, module: origin, secrets: secretReader(fixtures.baseDir, env) };
  refuseUnknownNames(plugin, [...(use === undefined ? [] : [use]), ...Object.keys(fixtures.options)]);

  const suites: ProviderSuite[] = [];
  if (use === undefined) {
    const optionsOf = ({ name }: { readonly name: string }) => fixtures.options[name] ?? {};
    const cases = testkit.pluginConformance({ create: () => ({ plugin, module: origin, options: optionsOf }) });
    suites.push({ kind: "plugin", name: plugin.name, cases });
  }
  for (const provider of plugin.providers ?? []) {
    const suite = use === undefined || provider.name === use ? suiteOf(testkit, input, provider) : undefined;
    if (suite !== undefined) suites.push(suite);
  }

  const asked = only === undefined ? suites : onlyCases(suites, only);
  const reports: SuiteReport[] = [];
  for (const suite of asked) {
    context.output.note(`${suite.kind} ${suite.name}: ${String(suite.cases.length)} cases`);
    const { results } = await testkit.checkConformance(suite.cases, { signal: context.signal });
    reports.push({ suite, results });
  }
  context.output.result({
    json: reportDocument(plugin, origin, reports),
    quiet: reports.flatMap(({ results }) => results.filter(({ status }) => status === "failed").map(({ id }) => id)),
    human: (style) => reportText(reports, style),
  });
  return isOk(reports) ? 0 : exitOf("E_PLUGIN_FAILED");
};

/** The cases whose id begins so, each after the precondition of its suite. */
function onlyCases(suites: readonly ProviderSuite[], start: string): readonly ProviderSuite[] {
  const isAsked = ({ id }: { readonly id: string }): boolean => id.startsWith(start);
  const asked = suites
    .filter(({ cases }) => cases.some(isAsked))
    .map((suite) => ({ ...suite, cases: suite.cases.filter((one) => one.isPrecondition || isAsked(one)) }));
  if (asked.length > 0) return asked;
  throw new KeepsakeError("E_USAGE", `No case of this plugin begins with ${JSON.stringify(start)}.`, {
    context: { only: start, suites: suites.map(({ kind }) => kind) },
    hint: "Ids of cases are as in store.put.abort-middle; the first word is the kind.",
  });
}

function refuseUnknownNames(plugin: Plugin, names: readonly string[]): void {
  const known = (plugin.providers ?? []).map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new KeepsakeError("E_USAGE", `The plugin ${plugin.name} has no provider ${JSON.stringify(unknown)}.`, {
    context: { plugin: plugin.name, known },
    hint: `It has ${known.length === 0 ? "none" : known.join(", ")}.`,
  });
}
