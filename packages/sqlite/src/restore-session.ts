import type { RestoreSession, RestoreTarget, OpOptions } from "@keepsake/core";
import type { SqliteOptions } from "./options.js";
export class SqliteRestoreSession { static async open(_a: SqliteOptions, _t: RestoreTarget, _o?: OpOptions): Promise<RestoreSession> { throw new Error("x"); } }
