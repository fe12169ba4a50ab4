import type { OriginalRange } from "./text-view.js";

/** A range of a text that has to go, and the secret that stands there, decoded. */
export interface Edit extends OriginalRange {
  readonly rule: string;
  readonly secret: string;
}
