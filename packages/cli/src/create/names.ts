import { KeepsakeError } from "@keepsake/core";
import type { PluginKind } from "./kinds.js";

/** A name in all the spellings that a package needs. */
export interface PluginNames {
  /** as npm has it: "@acme/fast-store" */
  readonly package: string;
  /** the plugin's and its provider's, and what files are named after: "fast-store" */
  readonly kebab: string;
  /** the function that makes it; ends with the kind, so that it is no word of the language: "fastStore" */
  readonly camel: string;
  readonly pascal: string;
  /** a source's folder in bundles */
  readonly snake: string;
}

const NAME = /^(?:@[a-z0-9][a-z0-9._-]*\/)?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;
/** npm allows 214 for the whole; a source's id is held to 64. */
const MAX_LENGTH = 60;

/** @throws KeepsakeError `E_USAGE` for what cannot be the name of a package, a file and a function at once */
export function namesOf(kind: PluginKind, name: string): PluginNames {
  const kebab = NAME.exec(name)?.[1];
  if (kebab === undefined || kebab.length > MAX_LENGTH || name.length > 200) {
    throw new KeepsakeError("E_USAGE", `${JSON.stringify(name.slice(0, 200))} cannot be the name of a plugin.`, {
      hint: `Use words of [a-z0-9] with dashes between, at most ${String(MAX_LENGTH)} characters, as in acme-${kind} or @acme/${kind}.`,
    });
  }
  const words = kebab.split("-");
  if (words.at(-1) !== kind) words.push(kind);
  const pascal = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return {
    package: name,
    kebab,
    camel: pascal.charAt(0).toLowerCase() + pascal.slice(1),
    pascal,
    snake: kebab.replaceAll("-", "_"),
  };
}
