import { embedded } from "./embedded.mjs";
import { deleteOne, list, prune } from "./many.mjs";
import { oneFile, restoreEmpty, restoreOver, restoreUndoably, verify } from "./reading.mjs";
import { first, next, stored, unchanged } from "./taking.mjs";

/** In this order what one leaves is what the following begin with: stores with one snapshot, until `next` adds to them. */
export const OPERATIONS = [
  ...[first, verify, oneFile, restoreEmpty, restoreOver, next, unchanged, stored, restoreUndoably],
  ...[list, deleteOne, prune, embedded],
];
