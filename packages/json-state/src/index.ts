export { jsonState, type JsonStateOptions } from "./json-state.js";
export { default as jsonStatePlugin } from "./plugin.js";
