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
  type StateItem,
} from "@keepsake/core";
import { TimeSlice, writeNewFile } from "@keepsake/files";
import type { BundleOrigin } from "../bundle/bundle-origin.js";
import type { BundleReader, ReadBundle, ReadOptions } from "../bundle/bundle-reader.js";
import type { PrivateStaging } from "../snapshot/private-staging.js";
import { STATE_FOLDER } from "../snapshot/stage-state.js";
import { UnpackedFile } from "./unpacked-file.js";

/** Of no more bytes a file is kept among others, without a file of its own: to make one costs more than its bytes do. */
const SMALL_FILE_BYTES = 64 * 1024;

/** A bundle whose every check passed, unpacked into private staging under neutral names. */
export class UnpackedBundle {
  readonly bundle: ReadBundle;
  readonly #files: ReadonlyMap<string, UnpackedFile>;

  private constructor(bundle: ReadBundle, files: ReadonlyMap<string, UnpackedFile>) {
    this.bundle = bundle;
    this.#files = files;
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
    inspect: (manifest: Manifest) => void = () => undefined,
  ): Promise<UnpackedBundle> {
    const folder = await staging.folder("bundle");
    const files = new Map<string, UnpackedFile>();
    const slice = new TimeSlice();
    const sink = {
      manifest: ({ manifest }: { readonly manifest: Manifest }) => {
        inspect(manifest);
      },
      async file(meta: ArtifactMeta, content: AsyncIterable<Uint8Array>) {
        // Neutral names: nothing from the bundle's own names reaches the file system before a source checked it.
        const file = join(folder, String(files.size));
        if (meta.sizeBytes > SMALL_FILE_BYTES) {
          await writeNewFile(file, content, { sync: false, signal: options.signal });
          files.set(meta.pathInBundle, new UnpackedFile(file));
        } else {
          const kept = staging.small.keep(await collectBytes(content, meta.sizeBytes));
          files.set(meta.pathInBundle, new UnpackedFile(file, kept));
          if (slice.isOver) await slice.next(options.signal);
        }
      },
    };
    return new UnpackedBundle(await reader.readVerified(origin, sink, options), files);
  }

  get manifest(): Manifest {
    return this.bundle.manifest;
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
    const entries = artifacts.filter((meta) => meta.source === source).map((meta) => this.#entry(meta, source));
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

  #entry(meta: BundleEntry["meta"], source: string): BundleEntry {
    const path = meta.pathInBundle.slice(source.length + 1);
    return this.#files.get(meta.pathInBundle)?.entryOf(meta, path) ?? { meta, path };
  }
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
