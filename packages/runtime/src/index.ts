export { findConfigFile } from "./config/find-config-file.js";
export { composedSchema } from "./config/json-schema.js";
export { type ConfigRequest, type LoadedConfig, loadConfig } from "./config/load-config.js";
export type { ConfigProblem } from "./config/problems.js";
export type { ConfigSource } from "./config/read-config.js";
export { defineConfig, type KeepsakeConfigInput, type ResolvedConfig, type UseEntry } from "./config/schema.js";
export { createKeepsake, type KeepsakeOptions } from "./create-keepsake.js";
export type { Keepsake, LoadedPlugin, LoadedProvider } from "./keepsake.js";
export { lineLogger, type LogLevel } from "./log/stderr-logger.js";
