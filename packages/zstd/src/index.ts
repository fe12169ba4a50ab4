export { default as zstdPlugin } from "./plugin.js";
export { zstd, type ZstdBackend, type ZstdOptions } from "./zstd.js";
