export type { SqliteOptions } from "./options.js";
export { default as sqlitePlugin } from "./plugin.js";
export { sqlite } from "./source.js";
