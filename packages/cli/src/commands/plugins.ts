import { toWire } from "@keepsake/core";
import type { LoadedPlugin } from "@keepsake/runtime";
import type { CommandRun } from "../context.js";
import type { NoOptions } from "../grammar/options.js";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { facts } from "../output/table.js";
import { openSession } from "../session/open-session.js";

/** `plugins`: what is loaded and from where, what each can make, and what is in use of it. */
export const plugins: CommandRun<NoOptions> = async (context) => {
  await using keepsake = await openSession(context);
  const loaded = await keepsake.plugins();
  context.output.result({
    json: { plugins: loaded.map((plugin) => toWire(plugin)) },
    quiet: loaded.map((plugin) => plugin.name),
    human: (style) => loaded.map((plugin) => pluginText(plugin, style)).join("\n"),
  });
  return 0;
};

function pluginText(plugin: LoadedPlugin, style: Style): string {
  const version = plugin.version === undefined ? "" : ` ${plugin.version}`;
  const head = `${style.bold(printable(plugin.name))}${printable(version)}  ${style.dim(`from ${printable(plugin.origin)}`)}\n`;
  const providers = plugin.providers.map((provider): readonly [string, string] => {
    const used = provider.instances.map((instance) => JSON.stringify(instance)).join(" ");
    return [`  ${provider.kind} ${printable(provider.name)}`, used === "" ? "-" : `in use: ${printable(used)}`];
  });
  const presets = plugin.presets.map(({ name, description }): readonly [string, string] => [
    `  preset ${printable(name)}`,
    printable(description),
  ]);
  return head + facts([...providers, ...presets], style);
}
