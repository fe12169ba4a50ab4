import type { ServicePlace } from "./service.js";

/** The options that say where it is, and are no secret. */
const TOLD = ["bucket", "container", "filesystem", "endpoint", "root"];

/** One line for people: "webdav (endpoint https://dav.example.com, root /agents/)". */
export function describePlace({ scheme, options = {} }: ServicePlace): string {
  const told = TOLD.flatMap((name) => (options[name] === undefined ? [] : [`${name} ${withoutUser(options[name])}`]));
  return told.length === 0 ? scheme : `${scheme} (${told.join(", ")})`;
}

function withoutUser(value: string): string {
  return value.replace(/\/\/[^/@]*@/, "//").replace(/[?\n].*$/s, "");
}
