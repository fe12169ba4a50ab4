import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ArtifactMeta,
  type ArtifactReader,
  type BundleEntry,
  collectBytes,
  type JsonValue,
  KeepsakeError,
  type Manifest,
  type OpOptions,
  type ParsedManifest,
  type StateItem,
} from "@keepsake/core";
import { TimeSlice, writeNewFile } from "@keepsake/files";
import type { BundleOrigin } from "../bundle/bundle-origin.js";
import type { BundleReader, ReadOptions } from "../bundle/bundle-reader.js";
import type { PrivateStaging } from "../snapshot/private-staging.js";
import { STATE_FOLDER } from "../snapshot/stage-state.js";
import { UnpackedFile } from "./unpacked-file.js";

/** Of no more bytes a file is kept among others, without a file of its own: to make one costs more than its bytes do. */
const SMALL_FILE_BYTES = 64 * 1024;

type Inspect = (manifest: Manifest) => void;
/** Brings files that are not there yet: by path in the bundle, where each one is. */
type Fetch = (paths: ReadonlySet<string>) => Promise<ReadonlyMap<string, UnpackedFile>>;

/** A bundle in private staging, under neutral names: all of it, or what is needed. What is there passed every check. */
export class UnpackedBundle {
  readonly manifest: Manifest;
  #files: ReadonlyMap<string, UnpackedFile>;
  readonly #fetch: Fetch | undefined;

  private constructor(manifest: Manifest, files: ReadonlyMap<string, UnpackedFile>, fetch?: Fetch) {
    this.manifest = manifest;
    this.#files = files;
    this.#fetch = fetch;
  }

  /**
   * @param inspect sees the manifest before anything is unpacked; may throw to refuse the bundle
   * @throws KeepsakeError what the reader throws
   */
  static async unpack(
    reader: BundleReader,
    origin: BundleOrigin,
    staging: PrivateStaging,
    options: ReadOptions,
    inspect: Inspect = () => undefined,
  ): Promise<UnpackedBundle> {
    const files = new FilesInStaging(await staging.folder("bundle"), staging, options);
    const manifest = (parsed: ParsedManifest): void => {
      inspect(parsed.manifest);
    };
    const bundle = await reader.readVerified(origin, { manifest, file: files.write }, options);
    return new UnpackedBundle(bundle.manifest, files.files);
  }

  /** Nothing of it is unpacked yet but what {@link bring} is asked for. As `unpack` otherwise. */
  static async open(
    reader: BundleReader,
    origin: BundleOrigin,
    staging: PrivateStaging,
    options: ReadOptions,
    inspect: Inspect,
  ): Promise<UnpackedBundle> {
    const bundle = await reader.openPart(origin, options);
    inspect(bundle.manifest);
    return new UnpackedBundle(bundle.manifest, new Map(), async (paths) => {
      let files: FilesInStaging | undefined;
      await bundle.read(paths, async () => {
        files = new FilesInStaging(await staging.folder("part"), staging, options);
        return { file: files.write };
      });
      return files?.files ?? new Map<string, UnpackedFile>();
    });
  }

  /**
   * Unpacks the files of these artifacts; nothing is left to do where all was unpacked.
   *
   * @throws KeepsakeError what the reader throws
   */
  async bring(isNeeded: (entry: BundleEntry) => boolean): Promise<void> {
    if (this.#fetch === undefined) return;
    const needed = this.manifest.artifacts.filter((meta) => meta.type === "file" && isNeeded(this.#entry(meta)));
    if (needed.length === 0) return;
    const files = await this.#fetch(new Set(needed.map(({ pathInBundle }) => pathInBundle)));
    this.#files = new Map([...this.#files, ...files]);
  }

  /** Ids of all sources that the snapshot captured or looked for; state values are not among them. */
  get sourceIds(): ReadonlySet<string> {
    const { sources, artifacts } = this.manifest;
    const ids = new Set([...sources.map(({ id }) => id), ...artifacts.map(({ source }) => source)]);
    ids.delete(STATE_FOLDER);
    return ids;
  }

  /** One source's artifacts, in the manifest's order. */
  reader(source: string): ArtifactReader {
    const { artifacts, omitted } = this.manifest;
    const entries = artifacts.filter((meta) => meta.source === source).map((meta) => this.#entry(meta));
    return { entries, omitted: omitted.filter((omission) => omission.source === source) };
  }

  /** The private file that holds an artifact's bytes; of a small one it is made now. */
  fileOf(pathInBundle: string): string | undefined {
    return this.#files.get(pathInBundle)?.path;
  }

  /** True when the snapshot captured state values, or looked for them. */
  get hasState(): boolean {
    const { sources, artifacts } = this.manifest;
    return sources.some(({ id }) => id === STATE_FOLDER) || artifacts.some(({ source }) => source === STATE_FOLDER);
  }

  /** Keys of state values that were there and could not be captured. */
  get stateOmitted(): readonly string[] {
    return this.reader(STATE_FOLDER).omitted.map(({ path }) => path.replace(/\.json$/, ""));
  }

  /** @throws KeepsakeError `E_MANIFEST` when a state artifact is no JSON or has no valid name */
  async state(): Promise<readonly StateItem[]> {
    const items: StateItem[] = [];
    for (const { path, file } of this.reader(STATE_FOLDER).entries) {
      const key = /^([a-z0-9_-]{1,64})\.json$/.exec(path)?.[1];
      if (key === undefined || file === undefined) throw badState(path);
      items.push({ key, value: await readJson(file, path) });
    }
    return items;
  }

  #entry(meta: ArtifactMeta): BundleEntry {
    const path = meta.pathInBundle.slice(meta.source.length + 1);
    return this.#files.get(meta.pathInBundle)?.entryOf(meta, path) ?? { meta, path };
  }
}

/** Writes files into a private folder, but for small ones. */
class FilesInStaging {
  readonly #folder: string;
  readonly #staging: PrivateStaging;
  readonly #signal: AbortSignal | undefined;
  readonly #slice = new TimeSlice();
  readonly #files = new Map<string, UnpackedFile>();

  constructor(folder: string, staging: PrivateStaging, { signal }: OpOptions) {
    this.#folder = folder;
    this.#staging = staging;
    this.#signal = signal;
  }

  /** The files by path in the bundle. */
  get files(): ReadonlyMap<string, UnpackedFile> {
    return this.#files;
  }

  readonly write = async (meta: ArtifactMeta, content: AsyncIterable<Uint8Array>): Promise<void> => {
    // Neutral names: nothing from the bundle's own names reaches the file system before a source checked it.
    const name = this.#files.size;
    if (meta.sizeBytes > SMALL_FILE_BYTES) {
      await writeNewFile(join(this.#folder, String(name)), content, { sync: false, signal: this.#signal });
      this.#files.set(meta.pathInBundle, new UnpackedFile(this.#folder, name));
      return;
    }
    const kept = this.#staging.small.keep(await collectBytes(content, meta.sizeBytes));
    this.#files.set(meta.pathInBundle, new UnpackedFile(this.#folder, name, kept));
    if (this.#slice.isOver) await this.#slice.next(this.#signal);
  };
}

async function readJson(file: string, path: string): Promise<JsonValue> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as JsonValue;
  } catch (error) {
    throw badState(path, error);
  }
}

function badState(path: string, cause?: unknown): KeepsakeError {
  return new KeepsakeError("E_MANIFEST", `The state value ${JSON.stringify(path)} in the bundle is malformed.`, {
    cause,
  });
}
