import type { ArtifactSource } from "@keepsake/core";
import type { SubjectFactory } from "../port-case.js";

/** The live data of a source, as the agent's own programs make and change it. */
export interface LiveData {
  /** Makes data where there is none: several artifacts, where the source can have several. */
  readonly make: () => void | Promise<void>;
  /** Changes what {@link make} made: changes something, removes something, adds something. */
  readonly change: () => void | Promise<void>;
  /** All that a restore has to bring back, as a value that compares; leaves nothing behind. */
  readonly read: () => unknown;
}

/** A source to be tested, in an agent's memory that is empty yet. */
export interface SourceSubject {
  readonly source: ArtifactSource;
  /** Absolute path of the agent's memory directory: within the folder that `create` was given, where a folder is needed. */
  readonly memory: string;
  /** Null where nothing is known of the data: then only what holds for an empty memory can be asked. */
  readonly live: LiveData | null;
}

export type SourceFactory = SubjectFactory<SourceSubject>;
