import { existsSync } from "node:fs";
import type { JsonObject } from "@keepsake/core";
import type { Attributes } from "./attributes.js";
import type { Owner } from "./durable.js";
import type { JsonPath } from "./fs-path.js";

/**
 * One change of live files. Paths are absolute; `staged` and `undo` lie on the file system of `live`, in a private
 * directory. Steps are carried out in order and taken back in reverse.
 */
export type SwapStep =
  /** what was staged (a file, a link, a tree) takes the place of what may be live; the old one is set aside as `undo` */
  | { readonly do: "put"; readonly live: JsonPath; readonly staged: string; readonly undo: string }
  /**
   * What is live (a file, a link, a whole tree) is set aside as `undo`. With `unless: "directory"` a directory stays: it is
   * not what the plan saw, but what another plan of the same restore has made there meanwhile.
   */
  | { readonly do: "remove"; readonly live: JsonPath; readonly undo: string; readonly unless?: "directory" }
  /** a directory that is not there is made; parents too. Nothing but a directory is there when the step's turn comes */
  | { readonly do: "make_dir"; readonly live: JsonPath; readonly mode: number; readonly owner?: Owner | undefined }
  /** a directory goes, if it is empty by then */
  | { readonly do: "remove_dir"; readonly live: JsonPath; readonly before: Attributes }
  /** mode and time of a file or directory; `mode` is ignored for a symbolic link */
  | { readonly do: "set"; readonly live: JsonPath; readonly to: Attributes; readonly before: Attributes | null };

/** An ordered list of steps; plain JSON, so that it can stand in a journal. */
export interface SwapPlan {
  readonly steps: readonly SwapStep[];
}

/** A plan as the plain JSON of a restore plan's `data`. */
export function swapPlanToJson(plan: SwapPlan): JsonObject {
  return { steps: plan.steps as unknown as JsonObject[] };
}

/** The plan that {@link swapPlanToJson} wrote. The journal's own digest vouches for its form. */
export function swapPlanFromJson(data: JsonObject): SwapPlan {
  return data as unknown as SwapPlan;
}

/** True for a step that still takes something live away: it was not carried out yet, or was taken back. */
export function isPending(step: SwapStep): boolean {
  if (step.do === "put") return existsSync(step.staged);
  return step.do === "remove" && !existsSync(step.undo);
}
