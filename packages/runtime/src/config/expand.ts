import type { ConfigProblems } from "./problems.js";

/** `$${`, or `${NAME}`, or `${NAME:-default}`, or an opening that is none of these. */
const REFERENCE = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g;

/**
 * Replaces `${VAR}` and `${VAR:-default}` in a text; `$${` stands for a literal `${`. As in a shell, the default is
 * taken when the variable is unset or empty.
 *
 * @param problem called for every reference that has no value; the reference then stays as it is
 */
export function expandText(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  problem: (message: string) => void,
): string {
  return text.replace(REFERENCE, (whole: string, variable: string | undefined, fallback: string | undefined) => {
    if (whole === "$${") return "${";
    if (variable === undefined) {
      problem("a `${` without the name of a variable and a `}`; write `$${` for the characters themselves");
      return whole;
    }
    const value = env[variable];
    if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
    if (value !== undefined) return value;
    const meant = variable === "agent" || variable === "tenant" ? `; did you mean {${variable}}, without the $?` : "";
    problem(`the environment variable ${variable} is not set and has no default${meant}`);
    return whole;
  });
}

/**
 * A copy of a configuration with the variables in all its string values replaced. Plugins that are objects stay what
 * they are.
 */
export function expandConfig(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblems,
  path: readonly PropertyKey[] = [],
): unknown {
  if (typeof value === "string") return expandText(value, env, (message) => problems.add(path, message));
  if (typeof value !== "object" || value === null) return value;
  if (path[0] === "plugins" && path.length === 2) return value;
  if (Array.isArray(value)) return value.map((item, index) => expandConfig(item, env, problems, [...path, index]));
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === "__proto__") problems.add([...path, key], "this key is not allowed");
    else out[key] = expandConfig(item, env, problems, [...path, key]);
  }
  return out;
}

/** What stands for the placeholders of one agent. */
export interface PlaceholderValues {
  readonly agent: string;
  readonly tenant: string;
  /** absolute path; where it is not known yet, `{memory}` stays */
  readonly memory?: string;
}

/** A copy of options with `{agent}`, `{tenant}` and `{memory}` in all string values filled in. */
export function fillPlaceholders<T>(value: T, { agent, tenant, memory }: PlaceholderValues): T {
  const values: Readonly<Record<string, string | undefined>> = { agent, tenant, memory };
  const fill = (text: string): string =>
    text.replace(/\{(agent|tenant|memory)\}/g, (whole: string, name: string) => values[name] ?? whole);
  return mapStrings(value, fill) as T;
}

/** Whether any string value holds a placeholder. */
export function hasPlaceholders(value: unknown): boolean {
  if (typeof value === "string") return /\{(?:agent|tenant|memory)\}/.test(value);
  return typeof value === "object" && value !== null && Object.values(value).some(hasPlaceholders);
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === "string") return map(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, map));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, map)]));
}
