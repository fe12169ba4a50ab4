/**
 * What happens at a point of a program.
 *
 * `kill`: the process that makes the call ends by SIGKILL before the call is made; "main" ends the program's first process
 * instead, while the helper that makes the call lives on. `error`: the call fails with that; with `thenOn` every one after it
 * too, as when a disk is full or gone; ENOSPC fails only calls that take room. `short`: a write writes the first half of what it
 * was given, and says so.
 */
export type DiskFault =
  | { readonly kill: "caller" | "main" }
  | { readonly error: "EIO" | "ENOSPC"; readonly thenOn?: boolean }
  | { readonly short: true };

/** One call of the C library that changes what is on the disk. */
export interface DiskCall {
  /** from 1, over all threads and processes of the program together */
  readonly ordinal: number;
  readonly pid: number;
  /** made by another process than the program's first */
  readonly inHelper: boolean;
  /** "rename", "write", "fsync", … */
  readonly name: string;
  readonly path: string;
  /** the second path of a rename or a link */
  readonly other?: string;
  /** what a write was given */
  readonly bytes?: number;
  /** it may need room on the disk, so that ENOSPC is a thing to happen to it */
  readonly takesRoom: boolean;
  /** a fault happened here */
  readonly struck: boolean;
}

/** A fault at the call of that number. */
export interface Strike {
  readonly at: number;
  readonly fault: DiskFault;
}

/** A short name of a fault, for reports: "killed", "its parent killed", "EIO", "EIO from then on", "short". */
export function nameOfFault(fault: DiskFault): string {
  if ("kill" in fault) return fault.kill === "caller" ? "killed" : "its parent killed";
  if ("short" in fault) return "short write";
  return fault.thenOn === true ? `${fault.error} from then on` : fault.error;
}
