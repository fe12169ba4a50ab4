/** What tests get for `better-sqlite3` (vitest.config.ts): the one whose objects are never collected, as in the process that reads databases. */
export { Database as default } from "../../packages/sqlite/src/process/better-sqlite.js";
