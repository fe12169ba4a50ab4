export type { S3Credentials, S3Place, ServerEncryption } from "./connection/place.js";
export { default as s3Plugin } from "./plugin.js";
export { s3Locks, type S3LocksOptions } from "./s3-locks.js";
export { s3Store, type S3StoreOptions } from "./s3-store.js";
