/** What a member of an object, or a column of a row, is to the others: what they are called, or what is called so. */
export type PairRole = "name" | "value";

const NAME =
  /(?:key|name|variable|var|env|field|prop(?:erty)?|attribute|setting|option|param(?:eter)?|label|title|identifier|kind)$|^(?:k|id|n|entry|item)$/i;
const VALUE =
  /(?:value|val|default|data|text|content|contents|payload)$|^(?:v|body|current|secret|observations?|values)$/i;

const roles = new Map<string, PairRole | undefined>();
/** Names that are remembered: most documents have few, over and over. */
const MOST_ROLES = 4096;

/** Tells `{"key": "API_TOKEN", "value": "…"}` from members that mean nothing to each other. */
export function pairRoleOf(name: string): PairRole | undefined {
  if (roles.has(name)) return roles.get(name);
  const role = NAME.test(name) ? "name" : VALUE.test(name) ? "value" : undefined;
  if (roles.size >= MOST_ROLES) roles.clear();
  roles.set(name, role);
  return role;
}

/** True for what may be what a value is called: an identifier, or a few words. */
export function isPairName(text: string): boolean {
  return /^[\w .:/@-]{2,128}$/.test(text);
}

/** True for what may be a secret that nothing but its name tells: one word, and no JSON. */
export function isPairValue(text: string): boolean {
  return /^[^\s{[<]\S{5,2047}$/.test(text);
}
