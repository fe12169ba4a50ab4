export { memdir } from "./memdir.js";
export type { MemdirOptions } from "./options.js";
export { default as memdirPlugin } from "./plugin.js";
