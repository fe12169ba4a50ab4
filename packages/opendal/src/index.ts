export { opendalStore, type OpendalStoreOptions } from "./opendal-store.js";
export { default, default as opendalPlugin } from "./plugin.js";
export type { ServicePlace } from "./service.js";
