export { git, type GitOptions } from "./git.js";
export { default as gitPlugin } from "./plugin.js";
