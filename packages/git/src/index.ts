export { git, type GitOptions } from "./git.js";
export { default as gitPlugin } from "./plugin.js";
export type { GitHistory } from "./redact/redact-git.js";
