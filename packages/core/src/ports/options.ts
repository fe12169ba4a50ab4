/** What every asynchronous port method takes. */
export interface OpOptions {
  /** When it fires, the method stops soon, undoes what is half-made, and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Where an agent's memory lies on this machine; absolute paths. */
export interface AgentPaths {
  /** the agent's memory directory */
  readonly memory: string;
}

/** A place that one source looks after, so that no other source captures or removes it. */
export interface PathClaim {
  /** absolute path */
  readonly path: string;
  /** the path alone, or with all that lies below it */
  readonly scope: "path" | "tree";
  /**
   * In a restore: what is at the path once this source has committed, where that is another thing than there is now.
   * "gone": it has taken away what is there, and the place is free. "file": it has put a file there.
   */
  readonly after?: "gone" | "file";
}

/** A place on which it depends what a source captures. Links are followed to the place itself, not below it. */
export interface WatchedPlace {
  /** absolute path; nothing need be there */
  readonly path: string;
  /** the path alone, or with all that lies below it */
  readonly scope: "path" | "tree";
  /**
   * What of it counts: "all"; "written": all but the time of its last change of attributes, where somebody sets the owner again
   * and again; "nothing": it may come, go and change. Default "all". Said of a path, it holds for that path within a tree, too.
   */
  readonly counts?: "all" | "written" | "nothing";
}
