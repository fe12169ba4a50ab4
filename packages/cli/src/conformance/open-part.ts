import { pathToFileURL } from "node:url";
import type { Plugin, ProviderKind, SecretReader } from "@keepsake/core";
import { makePart } from "@keepsake/testkit";

/** What a process that is to be killed needs to make the part of a plugin. */
export interface PartOrder {
  /** the file whose default export is the plugin */
  readonly module: string;
  readonly kind: ProviderKind;
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly dir: string;
  readonly baseDir: string;
}

/** Called by the program of the crash cases: the store or the locks of a plugin, in its process. */
export async function open({ module, kind, name, ...given }: PartOrder): Promise<unknown> {
  const { default: plugin } = (await import(pathToFileURL(module).href)) as { readonly default: Plugin };
  const made = await makePart(plugin, kind, name, { ...given, secrets: secretsOf(given.baseDir) });
  return made.part;
}

/** The process is started anew for each kill: what few plugins need is loaded only then. */
function secretsOf(baseDir: string): SecretReader {
  return {
    async read(reference) {
      const { secretReader } = await import("@keepsake/runtime");
      return secretReader(baseDir, process.env).read(reference);
    },
  };
}
