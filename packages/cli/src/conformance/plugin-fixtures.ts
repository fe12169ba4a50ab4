import type { StateItem, StateTarget } from "@keepsake/core";
import type { LiveData, RedactionSample } from "@keepsake/testkit";

type Options = Readonly<Record<string, unknown>>;

/** What only the author of a plugin knows and a suite needs; by the provider's name, all of it optional. */
export interface ProviderFixture {
  /** a codec's equal input gives equal output; default false */
  readonly deterministic?: boolean;
  /** options with which an encrypting codec has no key, and one that does not fit */
  readonly others?: { readonly keyless: Options; readonly stranger: Options };
  /** false for a store in the memory of this process */
  readonly boundedMemory?: boolean;
  /**
   * Where all that a store or locks keep shows: a folder, with `{dir}` and `{unique}` as in options, or for a store a function
   * that gives the names of what is there.
   */
  readonly place?: string | ((place: { readonly dir: string }) => Promise<readonly string[]>);
  /** kills a process that works in the folder `place`, and makes its calls fail; default false */
  readonly crash?: boolean;
  /** takes a held lock away; `dir` is the folder of the case */
  readonly lose?: (name: string, place: { readonly dir: string }) => void | Promise<void>;
  /** makes, changes and reads what a source captures */
  readonly live?: (place: { readonly dir: string; readonly memory: string }) => LiveData;
  /** sets live values, where that is not what `restore` does */
  readonly write?: (
    items: readonly StateItem[],
    target: StateTarget,
    place: { readonly dir: string },
  ) => void | Promise<void>;
  /** texts with one secret each, and texts with none */
  readonly samples?: readonly RedactionSample[];
  readonly clean?: readonly string[];
}

/** What `--options` gives. */
export interface PluginFixtures {
  /** options by provider name; in texts `{dir}` is a new private folder, `{unique}` a new name, for each case */
  readonly options: Readonly<Record<string, Options>>;
  readonly fixtures: Readonly<Record<string, ProviderFixture>>;
  /** relative paths in options are relative to this */
  readonly baseDir: string;
}
