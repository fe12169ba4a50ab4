import type { JsonObject } from "../json.js";

/** What a part can say of the place it works on, for `doctor`. */
export interface HealthFinding {
  /** what it is about, in one word of `[a-z_]`; not unique */
  readonly name: string;
  /** "warning": works, but gives less than could be had or will fail some day; "problem": does not work */
  readonly status: "ok" | "warning" | "problem";
  /** whole sentences for people; no secret */
  readonly message: string;
  /** one sentence: what the user can do */
  readonly hint?: string;
  /** the facts for programs, snake_case */
  readonly details?: JsonObject;
}
