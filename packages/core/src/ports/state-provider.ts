import type { AgentRef } from "../ids/names.js";
import type { JsonValue } from "../json.js";
import type { AgentPaths, OpOptions } from "./options.js";

/** Which agent, and where its memory is. */
export interface StateTarget {
  readonly agent: AgentRef;
  readonly paths: AgentPaths;
}

/** One keyed runtime value. The key is `[a-z0-9_-]{1,64}` and names `state/<key>.json` in the bundle. */
export interface StateItem {
  readonly key: string;
  readonly value: JsonValue;
}

/** Runtime values of an agent that live outside its memory: cursors, last-run rows. */
export interface StateProvider {
  readonly id: string;
  /** Keys this provider is responsible for; a key absent from a bundle is cleared on restore. */
  readonly keys: readonly string[];
  /** The values there are now; a key without a value is not yielded. */
  capture(target: StateTarget, options?: OpOptions): AsyncIterable<StateItem>;
  /** Sets the given values and clears this provider's other keys; idempotent, each value whole or not at all. */
  restore?(target: StateTarget, items: readonly StateItem[], options?: OpOptions): Promise<void>;
  /** Pauses the agent's workers until the handle is disposed. */
  quiesce?(target: StateTarget, options?: OpOptions): Promise<AsyncDisposable>;
}
