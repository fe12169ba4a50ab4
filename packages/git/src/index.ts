export { git, type GitOptions } from "./git.js";
