/** An operation of the library, and its request. */
export interface Operation {
  readonly name: string;
  readonly request: object;
}

/** The same on a world, as `operate.mjs` takes it. */
export interface PlacedOperation extends Operation {
  readonly config: object;
  readonly stateRoot: string;
}

/** What such a program answered. */
export interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly name?: string; readonly code?: string; readonly message: string };
}

/** @param said what it wrote; nothing when it was killed before */
export function answerOf(said: string): Answer {
  return said === "" ? {} : (JSON.parse(said) as Answer);
}
