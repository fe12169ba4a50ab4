import type { JsonObject } from "../json.js";

/** Something happened to a snapshot. */
export interface LifecycleEvent {
  readonly type: "lifecycle";
  readonly kind: "created" | "restored" | "deleted" | "gc";
  readonly agentId: string;
  readonly tenant: string;
  readonly snapshotId?: string;
  readonly label?: string;
  readonly atMs: number;
}

/** An agent's memory was changed by Keepsake, by one source. */
export interface MutationEvent {
  readonly type: "mutation";
  readonly agentId: string;
  readonly tenant: string;
  readonly source: string;
  readonly atMs: number;
  readonly details: JsonObject;
}

/** Tells others. Best effort: a publisher that throws or hangs never fails the operation. */
export interface EventPublisher {
  readonly id: string;
  publish(event: LifecycleEvent | MutationEvent): Promise<void>;
}
