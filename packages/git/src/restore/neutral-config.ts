import { type ConfigEntry, parseGitConfig } from "../repository/config-file.js";
import { isHarmlessSetting } from "./config-rules.js";

/** A configuration that may be put in place. */
export interface NeutralConfig {
  readonly text: string;
  /** names of the settings that were turned into comments */
  readonly disabled: readonly string[];
}

/** Lines about whose meaning this reader and git cannot differ. */
const PLAIN_LINE =
  /^(?:[ \t]*|[#;][\x20-\x7e]*|\[[A-Za-z0-9-]+(?: "[^"\\\n]*")?\]|[ \t]*[A-Za-z][A-Za-z0-9-]* = [^"\\#;\n\r\0]+)$/;

function nameOf({ section, subsection, key }: ConfigEntry): string {
  if (section === "") return key;
  return subsection === undefined ? `${section}.${key}` : `${section}.${subsection}.${key}`;
}

function sameSetting(a: ConfigEntry, b: ConfigEntry): boolean {
  return nameOf(a) === nameOf(b) && a.value === b.value;
}

/**
 * Turns every setting that could run a program into a comment, unless the live repository has the very same one: what is
 * trusted on this machine already may stay. What is not plain is written anew from what was understood.
 *
 * @param trusted the live repository's settings
 * @param never settings that are turned into comments although trusted
 */
export function neutraliseConfig(
  text: string,
  trusted: readonly ConfigEntry[],
  never: (entry: ConfigEntry) => boolean = () => false,
): NeutralConfig {
  const entries = parseGitConfig(text);
  if (entries === undefined) {
    return { text: "# Keepsake: the configuration was malformed and was left out.\n", disabled: ["(all settings)"] };
  }
  const allowed = (entry: ConfigEntry): boolean =>
    !never(entry) && (isHarmlessSetting(entry) || trusted.some((live) => sameSetting(live, entry)));
  const disabled = entries.filter((entry) => !allowed(entry));
  if (disabled.length === 0 && text.split("\n").every((line) => PLAIN_LINE.test(line))) return { text, disabled: [] };
  return { text: entries.map((entry) => render(entry, allowed(entry))).join(""), disabled: disabled.map(nameOf) };
}

function render(entry: ConfigEntry, allowed: boolean): string {
  const value = entry.value ?? "true";
  if (!allowed) return `# disabled by Keepsake: ${JSON.stringify(`${nameOf(entry)} = ${value}`)}\n`;
  const subsection = entry.subsection?.replace(/["\\]/g, "\\$&");
  const header = subsection === undefined ? `[${entry.section}]` : `[${entry.section} "${subsection}"]`;
  const escaped = value
    .replace(/["\\]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t")
    .replaceAll("\b", "\\b");
  return `${header}\n\t${entry.key} = "${escaped}"\n`;
}
