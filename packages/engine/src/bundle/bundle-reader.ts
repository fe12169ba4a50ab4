import {
  HashedStream,
  isKeepsakeError,
  KeepsakeError,
  type Logger,
  type Manifest,
  type OpOptions,
  type ParsedManifest,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { ENGINE_LOGGER, WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";
import type { BundleOrigin } from "./bundle-origin.js";
import { BundlePart } from "./bundle-part.js";
import { decodeThrough } from "./codec-chain.js";
import { checkSeal } from "./check-seal.js";
import { countedStream } from "./counted-stream.js";
import { type ArchiveSink, readArchive } from "./read-archive.js";

/** How a bundle is read. */
export interface ReadOptions extends OpOptions {
  readonly identityFiles: readonly string[];
  readonly limits: { readonly maxManifestBytes: number; readonly maxBundleBytes: number };
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
}

/** A bundle that was read to its end. */
export interface ReadBundle extends ParsedManifest {
  readonly sizeBytes: number;
  readonly fileSha256: string;
}

/** A bundle that is open, of which only a part is wanted. Of its manifest the seal was checked. */
export interface OpenBundle {
  readonly manifest: Manifest;
  /**
   * Reads these artifacts; what else is read of the bundle is checked and dropped.
   *
   * @param wanted paths in the bundle
   * @param begin gives what takes them; a second time when the first attempt failed and all has to be read anew
   * @throws KeepsakeError what {@link BundleReader.readVerified} throws
   */
  read(wanted: ReadonlySet<string>, begin: () => Promise<Pick<ArchiveSink, "file">>): Promise<void>;
}

/** Reads bundles. Nothing of them is trusted before it was checked. */
@injectable()
export class BundleReader {
  readonly #workspace: Workspace;
  readonly #logger: Logger;

  constructor(@inject(WORKSPACE) workspace: Workspace, @inject(ENGINE_LOGGER) logger: Logger) {
    this.#workspace = workspace;
    this.#logger = logger;
  }

  /** Reads the whole bundle; the archive's rules are enforced, seal and digests beside it are not judged. */
  async read(origin: BundleOrigin, sink: ArchiveSink, options: ReadOptions): Promise<ReadBundle> {
    const { sizeBytes, body } = await this.#open(origin, options);
    const hashed = new HashedStream(countedStream(body, (done) => options.onBytes?.(done, sizeBytes)));
    const decoded = await this.#decode(origin, hashed, options);
    const { signal, limits } = options;
    const parsed = await readArchive(decoded, sink, { maxManifestBytes: limits.maxManifestBytes, signal });
    return { ...parsed, sizeBytes, fileSha256: hashed.digest.sha256 };
  }

  /**
   * Reads the whole bundle and lets it pass only when every check does: the digest beside it, the seal, the content
   * digest, each artifact.
   *
   * @throws KeepsakeError `E_INTEGRITY` and all that {@link readArchive} throws
   */
  async readVerified(origin: BundleOrigin, sink: ArchiveSink, options: ReadOptions): Promise<ReadBundle> {
    const recorded = await origin.recordedDigest(options.signal);
    if (recorded === undefined) throw digestMissing(origin);
    const sealed: ArchiveSink = {
      ...sink,
      async manifest(parsed) {
        checkSeal(parsed);
        await sink.manifest?.(parsed);
      },
    };
    const bundle = await this.read(origin, sealed, options);
    if (bundle.fileSha256 !== recorded) {
      throw new KeepsakeError("E_INTEGRITY", `${origin.label} is not what the digest beside it says.`, {
        context: { expected: recorded, found: bundle.fileSha256 },
      });
    }
    return bundle;
  }

  /** The manifest alone; its seal is checked, nothing behind it is read. */
  async manifest(origin: BundleOrigin, options: ReadOptions): Promise<ParsedManifest> {
    const { body } = await this.#open(origin, options);
    const decoded = await this.#decode(origin, body, options);
    const { signal, limits } = options;
    const archive = { maxManifestBytes: limits.maxManifestBytes, manifestOnly: true, signal };
    const parsed = await readArchive(decoded, {}, archive);
    checkSeal(parsed);
    return parsed;
  }

  /**
   * Opens a bundle of which only a part is wanted. It is read by its parts where that is possible and all is as it should be;
   * in every other case as a whole, with all checks: those say what is wrong, if anything is.
   *
   * @throws KeepsakeError what {@link manifest} throws
   */
  async openPart(origin: BundleOrigin, options: ReadOptions): Promise<OpenBundle> {
    const part = await this.#unlessFailed(origin, options, () => this.#partOf(origin, options));
    const { manifest } = part?.parsed ?? (await this.manifest(origin, options));
    return {
      manifest,
      read: async (wanted, begin) => {
        const done = await this.#unlessFailed(origin, options, async () => {
          await part?.read(wanted, await begin(), options);
          return part;
        });
        if (done === undefined) await this.readVerified(origin, onlyOf(manifest, wanted, await begin()), options);
      },
    };
  }

  async #partOf({ ranged, fileName }: BundleOrigin, options: ReadOptions): Promise<BundlePart | undefined> {
    if (ranged === undefined || ranged.bytes.sizeBytes > options.limits.maxBundleBytes) return undefined;
    return BundlePart.open(ranged, await this.#workspace.decoders(fileName, options.identityFiles), options);
  }

  /** What `attempt` gives; undefined when it failed, of which the log tells. */
  async #unlessFailed<T>(
    { label }: BundleOrigin,
    { signal }: ReadOptions,
    attempt: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      const code = isKeepsakeError(error) ? error.code : "E_INTERNAL";
      this.#logger.info("a part of a bundle could not be read by itself", { bundle: label, code });
      return undefined;
    }
  }

  async #open(origin: BundleOrigin, options: ReadOptions) {
    const { maxBundleBytes } = options.limits;
    const opened = await origin.open(options.signal);
    if (opened.sizeBytes <= maxBundleBytes) return opened;
    throw new KeepsakeError("E_LIMIT", `${origin.label} is larger than the configuration allows.`, {
      context: { size_bytes: opened.sizeBytes, max_bytes: maxBundleBytes },
      hint: "Raise limits.max_bundle_bytes to read it.",
    });
  }

  async #decode(origin: BundleOrigin, body: AsyncIterable<Uint8Array>, options: ReadOptions) {
    const codecs = await this.#workspace.decoders(origin.fileName, options.identityFiles);
    // What is decoded is held to the manifest's sizes by the archive reader, which stops at the first byte too many.
    return decodeThrough(codecs, body, { maxOutputBytes: Number.MAX_SAFE_INTEGER, signal: options.signal });
  }
}

/** Lets through what is wanted, of the bundle with this manifest. */
function onlyOf(manifest: Manifest, wanted: ReadonlySet<string>, sink: Pick<ArchiveSink, "file">): ArchiveSink {
  return {
    manifest(found) {
      if (found.manifest.seal.digest === manifest.seal.digest) return;
      throw new KeepsakeError("E_INTEGRITY", "The bundle was another one a moment ago: its manifest has changed.");
    },
    async file(meta, content) {
      if (wanted.has(meta.pathInBundle) && sink.file !== undefined) await sink.file(meta, content);
      else for await (const _chunk of content);
    },
  };
}

function digestMissing(origin: BundleOrigin): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", `There is no digest beside ${origin.label}.`, {
    hint: `If you trust the file, write its digest beside it: sha256sum <bundle> > <bundle>.sha256`,
  });
}
