export type { S3Credentials, S3Place, ServerEncryption } from "./connection/place.js";
export { s3Store, type S3StoreOptions } from "./s3-store.js";
