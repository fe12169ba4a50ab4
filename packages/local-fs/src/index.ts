export { fileLocks, type FileLocksOptions } from "./file-locks.js";
export { localFs, type LocalFsOptions } from "./local-fs.js";
export { default as localFsPlugin } from "./plugin.js";
