/**
 * The part of a memory that a restore is limited to. Its patterns are the engine's affair: a source asks of each thing it
 * has, in the bundle and in the live memory, and leaves what is not selected as it is, to the byte.
 */
export interface RestoreSelection {
  /**
   * True for what is to be as the bundle has it: brought back, or taken away when the bundle does not have it. What lies in
   * a selected folder is selected. Asking is also what tells the engine that a pattern means something: ask of what is there.
   *
   * @param place where it is in the live memory, or would be: absolute, below the memory directory as the target names it
   * @param path its artifact path, relative to the source's folder in the bundle
   */
  has(place: string, path: string): boolean;
  /**
   * A pattern that names something inside of `place`, and not `place` itself; for what comes back whole or not at all.
   *
   * @param path as above; "" for a place that takes up the source's folder in the bundle without a name of its own there
   */
  within(place: string, path: string): string | undefined;
}
