import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type JsonObject, type RedactionPolicy, toBundlePath } from "@keepsake/core";
import { ObjectStore } from "../objects/object-store.js";
import { PackWriter } from "../objects/pack-writer.js";
import { readFormat, type RepositoryFormat } from "../repository/format.js";
import { shallowCommits } from "../repository/git-dir.js";
import { headFacts } from "../repository/head-facts.js";
import { readRefs } from "../repository/refs.js";
import type { BundledPlace } from "./bundled-places.js";
import { ContentRedactor } from "./content-redactor.js";
import { FileNames } from "./file-names.js";
import type { GitOutcome } from "./git-outcome.js";
import { HistoryRewrite } from "./history-rewrite.js";
import { OID_MAP, writeOidMap } from "./oid-map.js";
import { redactionRoots } from "./redaction-roots.js";
import { namesIn, RefNames } from "./ref-names.js";
import { type ReplacedObjects, replaceObjects } from "./replace-objects.js";
import { objectFilesOf, sortFiles, type StagedFiles } from "./staged-objects.js";
import { asUtf8, StateRedaction } from "./state-redaction.js";

/** What the redaction of one repository is given. */
export interface RepositoryOrder {
  readonly place: BundledPlace;
  readonly sourceId: string;
  /** where its working tree is in the bundle, ending with a slash: paths that are allowed mean this */
  readonly notes: string;
  /** a private folder for what is made; does not exist yet */
  readonly scratch: string;
  /** commits of inner repositories that are others now; those of this one are added */
  readonly linked: Map<string, string>;
  readonly policy: RedactionPolicy;
  readonly oidMap: boolean;
}

/** Redacts one git directory of a staged copy. */
export class RepositoryRedaction {
  readonly #order: RepositoryOrder;
  readonly #outcome: GitOutcome;
  readonly #redactor: ContentRedactor;
  readonly #names: FileNames;
  /** "git/" and the repository's prefix */
  readonly #base: string;

  constructor(order: RepositoryOrder, outcome: GitOutcome) {
    this.#order = order;
    this.#outcome = outcome;
    this.#redactor = new ContentRedactor(order.policy);
    this.#names = new FileNames(this.#redactor);
    this.#base = `${order.sourceId}/${order.place.prefix}`;
  }

  async run(signal?: AbortSignal): Promise<void> {
    const staged = sortFiles(this.#order.place.files);
    const files = new Map([...staged.state].map(([path, { file }]) => [asUtf8(path), file]));
    const format = readFormat(files);
    if (format.unsupported !== undefined) {
      this.#outcome.unscanned.push({ path: asUtf8(`${this.#base}HEAD`), reason: "unsupported_repository" });
      return;
    }
    const refNames = new RefNames(namesIn(files, format), this.#redactor);
    const rewrite = await this.#rewriteObjects(staged, files, format, refNames, signal);
    this.#outcome.addMatches(this.#redactor.matches);
    for (const [old, now] of rewrite.history.changedCommits) this.#order.linked.set(old, now);
    if (this.#order.oidMap) await this.#addOidMap(rewrite.history);
    await this.#describe(staged, rewrite, format, refNames);
  }

  async #rewriteObjects(
    staged: StagedFiles,
    files: ReadonlyMap<string, string>,
    { kind }: RepositoryFormat,
    refs: RefNames,
    signal: AbortSignal | undefined,
  ): Promise<Rewritten> {
    using store = new ObjectStore(objectFilesOf(staged), kind);
    using writer = new PackWriter(this.#order.scratch, kind);
    const linked = (oid: string): string => this.#order.linked.get(oid) ?? oid;
    const history = new HistoryRewrite({
      ...{ store, writer, linked, redactor: this.#redactor, names: this.#names },
      shallow: shallowCommits(files),
      tagNameOf: (name) => refs.ofTag(name),
      pathOf: (path) => this.#order.notes + path,
    });
    for (const { oid, path, isNote } of redactionRoots(files, kind)) await history.walk(oid, path, isNote, signal);
    const objects = await replaceObjects(staged, store, history, writer, this.#order.scratch, signal);
    this.#report(objects, history);
    const oidOf = (oid: string): string => history.oidOf(oid);
    const context = { kind, redactor: this.#redactor, refs, oidOf, linked, names: this.#names };
    const state = new StateRedaction(context, this.#outcome, this.#base);
    await state.run(new Map([...staged.state, ...objects.companions]), signal);
    return { history, objects, files: state.files };
  }

  #report({ removed, added, damaged }: ReplacedObjects, history: HistoryRewrite): void {
    const { sourceId } = this.#order;
    for (const { pathInBundle } of removed) this.#outcome.removed.push(pathInBundle);
    for (const [path, file] of added) {
      const pathInBundle = asUtf8(this.#base + path);
      this.#outcome.added.push({ pathInBundle, file, mode: path.endsWith(".promisor") ? 0o644 : 0o444, mtimeMs: 0 });
      this.#outcome.touched.push(pathInBundle);
    }
    for (const name of damaged) {
      const path = asUtf8(`${this.#base}objects/pack/${name}.pack`).slice(sourceId.length + 1);
      this.#outcome.omitted.push({ source: sourceId, path, reason: "damaged", code: "E_REPOSITORY_DAMAGED" });
    }
    for (const path of history.unscanned) {
      // Its name is redacted, too; it has been counted in the tree.
      const shown = new ContentRedactor(this.#order.policy).name(path, "git/tree");
      this.#outcome.unscanned.push({ path: `${asUtf8(this.#base)}objects#${shown}`, reason: "binary" });
    }
  }

  async #addOidMap({ changed }: HistoryRewrite): Promise<void> {
    const { place, scratch } = this.#order;
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const file = join(scratch, "oids");
    if (!(await writeOidMap(file, changed, place.files.get(OID_MAP)))) return;
    const { path: pathInBundle, ...encoding } = toBundlePath(Buffer.from(this.#base + OID_MAP, "latin1"));
    this.#outcome.added.push({ pathInBundle, ...encoding, file, mode: 0o600, mtimeMs: 0 });
  }

  async #describe(
    staged: StagedFiles,
    rewrite: Rewritten,
    format: RepositoryFormat,
    refNames: RefNames,
  ): Promise<void> {
    const { files, history, objects } = rewrite;
    using store = new ObjectStore(objects.files, format.kind);
    const refs = readRefs(files, format.kind);
    const head = await headFacts(files, store);
    const { place } = this.#order;
    if (place.prefix === "") this.#outcome.head = head;
    const layout = staged.state.get("HEAD")?.facts?.["layout"];
    const facts: JsonObject = {
      folder: place.folder,
      ...(layout === undefined ? {} : { layout }),
      headOid: head.headOid,
      ...(refs.head.ref === undefined ? {} : { branch: refs.head.ref.replace(/^refs\/heads\//, "") }),
      refs: refs.byName.size,
      commits: history.counts.commits,
      ...(format.kind.algorithm === "sha1" ? {} : { objectFormat: format.kind.algorithm }),
      ...(files.has("shallow") ? { shallow: true } : {}),
      commitsRewritten: history.changedCommits.size,
      ...(history.counts.signaturesLost === 0 ? {} : { signaturesRemoved: history.counts.signaturesLost }),
      ...(refNames.count === 0 ? {} : { refsRenamed: refNames.count }),
    };
    this.#outcome.repositories.push(facts);
  }
}

interface Rewritten {
  readonly history: HistoryRewrite;
  readonly objects: ReplacedObjects;
  readonly files: ReadonlyMap<string, string>;
}
