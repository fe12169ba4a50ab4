import type { AgentRef } from "../ids/names.js";
import type { JsonValue } from "../json.js";
import type { OmissionReason } from "./artifact-source.js";
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

/** A value that is there and cannot be captured: the snapshot goes on without it, and is incomplete. */
export interface StateOmission {
  readonly key: string;
  readonly omitted: {
    readonly reason: OmissionReason;
    /** the stable error code behind it */
    readonly code?: string;
    /** without anything of the value */
    readonly detail?: string;
  };
}

/** How values are restored. */
export interface StateRestoreOptions extends OpOptions {
  /** keys of this provider that are neither set nor cleared, whatever is there; default: none */
  readonly keep?: readonly string[] | undefined;
}

/** Runtime values of an agent that live outside its memory: cursors, last-run rows. */
export interface StateProvider {
  readonly id: string;
  /** Keys this provider is responsible for; a key absent from a bundle is cleared on restore. */
  readonly keys: readonly string[];
  /** The values there are now; a key without a value is not yielded. */
  capture(target: StateTarget, options?: OpOptions): AsyncIterable<StateItem | StateOmission>;
  /**
   * Sets the given values and clears this provider's other keys but those to `keep`; idempotent, each value whole or not at
   * all. What is there already need not be readable.
   */
  restore?(target: StateTarget, items: readonly StateItem[], options?: StateRestoreOptions): Promise<void>;
  /** Pauses the agent's workers until the handle is disposed. */
  quiesce?(target: StateTarget, options?: OpOptions): Promise<AsyncDisposable>;
}
