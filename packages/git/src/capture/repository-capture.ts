import { copyFile, lstat, mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { GitHead, JsonObject, KnownFile, OmissionReason, OmittedEntry, SourceEntry } from "@keepsake/core";
import { errnoOf } from "@keepsake/core";
import { walkTree } from "@keepsake/files";
import { ObjectStore } from "../objects/object-store.js";
import { readFormat, type RepositoryFormat } from "../repository/format.js";
import { headFacts } from "../repository/head-facts.js";
import { readRefs } from "../repository/refs.js";
import type { CapturePlace } from "./capture-place.js";
import { completeCopy, type CopyReport } from "./complete-copy.js";
import type { EntryNames } from "./entry-names.js";
import { KnownObjects } from "./known-objects.js";
import { ObjectCopy } from "./object-copy.js";
import { type PinnedEntry, type PinnedState, pinState, pinStateNow, StateCopies } from "./pinned-state.js";

/** Most damaged objects that are named one by one. */
const MOST_OMITTED = 100;
/** Folders with content-addressed files of other programs (git-lfs, git-annex). */
const BULK = ["lfs", "annex"];
const ALWAYS_THERE = new Set(["refs", "refs/heads", "refs/tags"]);

/** Captures one git directory. */
export class RepositoryCapture {
  readonly place: CapturePlace;
  readonly #scratch: string;
  readonly #names: EntryNames;
  readonly #known: ReadonlyMap<string, KnownFile>;
  #copies: StateCopies | undefined;
  #pinned: PinnedState | undefined;
  #head: GitHead | undefined;
  #facts: JsonObject = {};

  /** @param known what an earlier capture of the source brought, by path */
  constructor(place: CapturePlace, scratch: string, names: EntryNames, known: ReadonlyMap<string, KnownFile>) {
    this.#known = known;
    this.place = place;
    this.#scratch = scratch;
    this.#names = names;
  }

  /** HEAD's facts; after {@link entries} */
  get head(): GitHead | undefined {
    return this.#head;
  }

  get facts(): JsonObject {
    return this.#facts;
  }

  /** that of the state that is pinned */
  get fingerprint(): string | undefined {
    return this.#pinned?.fingerprint;
  }

  /** A second time it copies only what moved. */
  async pin(signal?: AbortSignal): Promise<void> {
    this.#copies ??= await this.#makeCopies();
    // What it replaces is copied over: until it is done, there is nothing.
    this.#pinned = undefined;
    this.#pinned = await pinState(this.place, this.#copies, signal);
  }

  /** Pins what moved since, while writers wait. @returns false when that cannot be done at once */
  pinNow(): boolean {
    if (this.#copies === undefined || this.#pinned === undefined) return false;
    const { state, isNow } = pinStateNow(this.place, this.#copies, this.#pinned);
    this.#pinned = state;
    return isNow;
  }

  async #makeCopies(): Promise<StateCopies> {
    const into = join(this.#scratch, "state");
    await mkdir(into, { recursive: true, mode: 0o700 });
    return new StateCopies(into);
  }

  async *entries(signal?: AbortSignal): AsyncGenerator<SourceEntry> {
    if (this.#pinned === undefined) throw new TypeError("entries() before pin()");
    const pinned = this.#pinned;
    const format = readFormat(pinned.files);
    if (format.unsupported !== undefined) {
      const detail = `The repository cannot be captured: ${format.unsupported}.`;
      yield this.#omitted("HEAD", "unreadable", { code: "E_UNSUPPORTED", detail });
      return;
    }
    const objectsDir = await realpath(join(this.place.commonDir, "objects"));
    const { place } = this;
    const known = await KnownObjects.in(
      { objectsDir, kind: format.kind },
      this.#known,
      `${place.prefix}objects/`,
      signal,
    );
    using copy = new ObjectCopy(objectsDir, join(this.#scratch, "objects"), format.kind, known);
    const report = await completeCopy({ copy, place, objectsDir, files: pinned.files, kind: format.kind }, signal);
    await this.#describe(pinned, copy, report, format);
    // Before the first entry is handed over: its file belongs to the consumer then, and may be gone.
    const damage = [...this.#damage(pinned, copy, report, format)];
    yield* this.#stateEntries(pinned);
    // Without the commits behind its border a shallow history is whole; it may be deepened.
    const isClosed = damage.length === 0 && !pinned.files.has("shallow") && !format.promisor;
    yield* this.#objectEntries(copy, isClosed ? report.whole : new Set());
    yield* damage;
    for (const name of BULK) yield* this.#bulk(name, signal);
  }

  async #describe(pinned: PinnedState, copy: ObjectCopy, report: CopyReport, format: RepositoryFormat): Promise<void> {
    using store = new ObjectStore(copy.files, format.kind);
    const refs = readRefs(pinned.files, format.kind);
    this.#head = await headFacts(pinned.files, store);
    this.#facts = {
      folder: this.place.folder,
      layout: this.place.layout,
      headOid: this.#head.headOid,
      ...(refs.head.ref === undefined ? {} : { branch: refs.head.ref.replace(/^refs\/heads\//, "") }),
      refs: refs.byName.size,
      commits: report.commits,
      ...(format.kind.algorithm === "sha1" ? {} : { objectFormat: format.kind.algorithm }),
      ...(report.forgottenCount === 0 ? {} : { objectsMissingFromReflogs: report.forgottenCount }),
      ...(report.missingCount === 0 ? {} : { objectsMissing: report.missingCount }),
      ...(pinned.files.has("shallow") ? { shallow: true } : {}),
    };
  }

  *#stateEntries(pinned: PinnedState): Generator<SourceEntry> {
    for (const entry of pinned.entries) yield* this.#stateEntry(entry, pinned);
    for (const file of pinned.leftOut) {
      yield this.#omitted(file.path, file.type === "special" ? "special_file" : "excluded");
    }
  }

  *#stateEntry(entry: PinnedEntry, pinned: PinnedState): Generator<SourceEntry> {
    const text = entry.path.toString("utf8");
    const name = this.#name(entry.path);
    const mtimeMs = Number(entry.stats.mtimeMs);
    const mode = Number(entry.stats.mode & 0o7777n);
    if (entry.unreadable !== undefined) {
      yield this.#omitted(entry.path, "unreadable", { code: entry.unreadable === "EIO" ? "E_IO" : "E_PERMISSION" });
    } else if (entry.type === "directory") {
      const empty = !pinned.entries.some((other) => other.path.toString("utf8").startsWith(`${text}/`));
      if (empty || ALWAYS_THERE.has(text)) yield { type: "directory", ...name, mode, mtimeMs };
    } else if (entry.linkTarget !== undefined) {
      yield* this.#link(entry, entry.linkTarget);
    } else if (entry.copy !== undefined) {
      const facts = text === "HEAD" ? { facts: { layout: this.place.layout, folder: this.place.folder } } : {};
      yield { type: "file", ...name, mode, mtimeMs, content: { file: entry.copy }, ...facts };
    }
  }

  /** A link stays one where it leads to a neighbour; HEAD in its oldest form becomes a file that says the same. */
  *#link(entry: PinnedEntry, target: string): Generator<SourceEntry> {
    const name = this.#name(entry.path);
    const mtimeMs = Number(entry.stats.mtimeMs);
    if (entry.path.toString("latin1") === "HEAD" && target.startsWith("refs/")) {
      const facts = { layout: this.place.layout, folder: this.place.folder };
      const content = { stream: oneChunk(`ref: ${target}\n`) };
      yield { type: "file", ...name, mode: 0o644, mtimeMs, content, facts };
    } else if (target.startsWith("/") || target.split("/").includes("..")) {
      yield this.#omitted(entry.path, "link_outside", { detail: "A link that leads out of the git directory." });
    } else {
      yield { type: "symlink", ...name, target, mtimeMs };
    }
  }

  /** @param whole files that may be recognised the next time, since all that their objects lead to is in the copy */
  *#objectEntries(copy: ObjectCopy, whole: ReadonlySet<string>): Generator<SourceEntry> {
    yield { type: "directory", ...this.#name(Buffer.from("objects")), mode: 0o755, mtimeMs: 0 };
    for (const { path, content, mtimeMs, mark } of copy.copied()) {
      const name = this.#name(Buffer.from(`objects/${path}`));
      const mode = path.endsWith(".keep") || path.endsWith(".promisor") ? 0o644 : 0o444;
      yield {
        type: "file",
        ...name,
        mode,
        mtimeMs,
        content,
        ...(mark !== undefined && whole.has(path) ? { mark } : {}),
      };
    }
  }

  *#damage(
    pinned: PinnedState,
    copy: ObjectCopy,
    report: CopyReport,
    format: RepositoryFormat,
  ): Generator<SourceEntry> {
    const damaged = (path: string, detail: string): OmittedEntry =>
      this.#omitted(path, "damaged", { code: "E_REPOSITORY_DAMAGED", detail });
    for (const name of readRefs(pinned.files, format.kind).broken) yield damaged(name, "The ref names no object.");
    for (const oid of copy.damagedLoose) yield damaged(objectPath(oid), `The file of object ${oid} is damaged.`);
    for (const name of copy.damagedPacks) yield damaged(`objects/pack/${name}.pack`, "The pack's checksum is wrong.");
    if (format.promisor || copy.hasPromisorPack) return;
    const missing = report.missing.filter((oid) => !copy.damagedLoose.has(oid));
    const named = missing.slice(0, MOST_OMITTED);
    for (const oid of named) yield damaged(objectPath(oid), `Object ${oid} is missing.`);
    const more = report.missingCount - (report.missing.length - missing.length) - named.length;
    if (more > 0) yield damaged("objects", `${String(more)} more objects are missing.`);
  }

  async *#bulk(folder: string, signal: AbortSignal | undefined): AsyncGenerator<SourceEntry> {
    const root = join(this.place.commonDir, folder);
    if ((await lstat(root).catch(() => undefined))?.isDirectory() !== true) return;
    let number = 0;
    for await (const found of walkTree(root, { signal })) {
      const path = Buffer.concat([Buffer.from(`${folder}/`), found.relative]);
      if (found.type === "failed") yield this.#omitted(path, "unreadable");
      else if (found.type === "symlink" || found.type === "special") yield this.#omitted(path, "special_file");
      else if (found.type === "file") {
        const copy = join(this.#scratch, `${folder}-${String(number++)}`);
        try {
          await copyFile(found.absolute, copy);
        } catch (error) {
          if (errnoOf(error) !== "ENOENT") yield this.#omitted(path, "unreadable");
          continue;
        }
        const mode = found.stats.mode & 0o7777;
        yield { type: "file", ...this.#name(path), mode, mtimeMs: found.stats.mtimeMs, content: { file: copy } };
      }
    }
  }

  #name(path: Buffer): ReturnType<EntryNames["of"]> {
    return this.#names.of(Buffer.concat([Buffer.from(this.place.prefix), path]));
  }

  #omitted(path: string | Buffer, reason: OmissionReason, more: { code?: string; detail?: string } = {}): OmittedEntry {
    return { type: "omitted", path: this.#name(Buffer.from(path)).path, reason, ...more };
  }
}

function objectPath(oid: string): string {
  return `objects/${oid.slice(0, 2)}/${oid.slice(2)}`;
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
