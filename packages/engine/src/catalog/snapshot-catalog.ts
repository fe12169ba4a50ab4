import {
  type AgentRef,
  type BundleStore,
  collectBytes,
  eachAtOnce,
  encodeRecord,
  isKeepsakeError,
  isSnapshotId,
  KeepsakeError,
  type OpOptions,
  parseAgentId,
  parseRecord,
  parseSnapshotId,
  parseTenantId,
  type SnapshotId,
  type SnapshotRecord,
  type StoredObject,
  streamOf,
} from "@keepsake/core";
import { agentPrefix, digestKey, parseKey, recordKey, TENANTS_PREFIX } from "../layout.js";
import type { ListReport } from "../memory-snapshotter.js";

export const MAX_RECORD_BYTES = 1024 * 1024;
/** So many records are read at a time: a store may be far. */
const AT_ONCE = 16;

/** The records of one store: which snapshots there are. Opens no bundle. */
export class SnapshotCatalog {
  readonly #store: BundleStore;

  constructor(store: BundleStore) {
    this.#store = store;
  }

  /**
   * All snapshots of one agent, or of every agent; newest first. What cannot be read is listed as such, and so are snapshots
   * whose bundle is not there.
   */
  async list(ref: AgentRef | undefined, options: OpOptions = {}): Promise<ListReport> {
    const snapshots: SnapshotRecord[] = [];
    const unreadable: { key: string; code: string; message: string }[] = [];
    const bundles = new Set<string>();
    const prefix = ref === undefined ? TENANTS_PREFIX : agentPrefix(ref);
    const look = async ({ key }: StoredObject): Promise<void> => {
      const part = parseKey(key)?.part;
      if (part === "bundle") bundles.add(key);
      if (part !== "record") return;
      try {
        snapshots.push(await this.#readRecord(key, options));
      } catch (error) {
        if (!isKeepsakeError(error)) throw error;
        // Deleted between the listing and the reading: it no longer exists.
        if (error.code !== "E_NOT_FOUND") unreadable.push({ key, code: error.code, message: error.message });
      }
    };
    await eachAtOnce(this.#store.list(prefix, options), look, AT_ONCE);
    snapshots.sort((a, b) => (a.id < b.id ? 1 : -1));
    unreadable.sort((a, b) => (a.key < b.key ? -1 : 1));
    const missing: { id: string; key: string }[] = [];
    for (const record of snapshots) {
      if (bundles.has(record.bundlePath) || !(await this.#lacksBundle(record, options))) continue;
      missing.push({ id: record.id, key: record.bundlePath });
    }
    return { snapshots, unreadable, missing };
  }

  /**
   * The snapshot that a reference means: an id, a unique prefix of 4 or more characters, `latest`, or `latest~N`.
   *
   * @throws KeepsakeError `E_NOT_FOUND`, `E_AMBIGUOUS_REF`, `E_INVALID_ID` for what is no reference at all
   */
  async resolve(ref: AgentRef, reference: string, options: OpOptions = {}): Promise<SnapshotRecord> {
    if (isSnapshotId(reference)) return this.#byId(ref, reference, options);
    const latest = /^latest(?:~(\d{1,9}))?$/.exec(reference);
    if (latest !== null) return await this.#latest(ref, Number(latest[1] ?? 0), options);
    if (!/^[0-9a-f-]{4,36}$/.test(reference)) {
      throw new KeepsakeError("E_INVALID_ID", `${JSON.stringify(reference.slice(0, 80))} is no snapshot reference.`, {
        hint: "Use an id, a unique prefix of 4 or more characters, latest, or latest~N.",
      });
    }
    const fitting = (await this.#ids(ref, options)).filter((id) => id.startsWith(reference));
    const matching: SnapshotRecord[] = [];
    for await (const record of this.#readable(ref, fitting, options)) matching.push(record);
    const [only] = matching;
    if (only === undefined) throw notFound(ref, reference);
    if (matching.length === 1) return only;
    throw new KeepsakeError("E_AMBIGUOUS_REF", `${reference} fits ${String(matching.length)} snapshots.`, {
      context: { candidates: matching.map((snapshot) => snapshot.id) },
    });
  }

  /** The id of an agent's newest snapshot; no record is read. */
  async newest(ref: AgentRef, options: OpOptions = {}): Promise<SnapshotId | undefined> {
    return (await this.#ids(ref, options))[0];
  }

  /** Makes a snapshot exist. @throws KeepsakeError `E_ALREADY_EXISTS` */
  async publish(record: SnapshotRecord, options: OpOptions = {}): Promise<void> {
    await this.#store.put(keyOf(record), streamOf(encodeRecord(record)), options);
  }

  /** Notes something new about a snapshot in its record, where the store can; returns whether it did. */
  async amend(record: SnapshotRecord, options: OpOptions = {}): Promise<boolean> {
    if (this.#store.replace === undefined) return false;
    await this.#store.replace(keyOf(record), encodeRecord(record), options);
    return true;
  }

  /** Puts a record in the place of one that cannot be read. */
  async renew(record: SnapshotRecord, options: OpOptions = {}): Promise<void> {
    if (await this.amend(record, options)) return;
    await this.#store.delete(keyOf(record), options);
    await this.publish(record, options);
  }

  /**
   * Removes a snapshot: the record first, so that it is gone whole at one instant; then what it described.
   *
   * @throws KeepsakeError what the store failed with; with nothing removed when it cannot even be asked for the bundle
   */
  async remove(record: SnapshotRecord, options: OpOptions = {}): Promise<void> {
    // What lies old and far may be out of reach while records are at hand.
    await this.#store.head(record.bundlePath, options);
    await this.#store.delete(keyOf(record), options);
    await this.#store.delete(record.bundlePath, options);
    await this.#store.delete(digestKey(record.bundlePath), options);
  }

  /** Asked again: what was deleted or moved during the listing is not missing. Where it cannot be said, the listing goes on. */
  async #lacksBundle(record: SnapshotRecord, options: OpOptions): Promise<boolean> {
    try {
      if (await this.#store.head(record.bundlePath, options)) return false;
      return (await this.#store.head(keyOf(record), options)) !== undefined;
    } catch (error) {
      if (!isKeepsakeError(error)) throw error;
      return false;
    }
  }

  /** All that have a record, newest first; none is read. */
  async #ids(ref: AgentRef, options: OpOptions): Promise<readonly SnapshotId[]> {
    const ids: SnapshotId[] = [];
    for await (const { key } of this.#store.list(agentPrefix(ref), options)) {
      const parts = parseKey(key);
      if (parts?.part === "record") ids.push(parts.id);
    }
    return ids.sort((a, b) => (a < b ? 1 : -1));
  }

  /** Records one after the other, without those that cannot be read: such a snapshot is no answer to what is asked for. */
  async *#readable(ref: AgentRef, ids: readonly SnapshotId[], options: OpOptions): AsyncGenerator<SnapshotRecord> {
    for (const id of ids) {
      try {
        yield await this.#readRecord(recordKey(ref, id), options);
      } catch (error) {
        if (!isKeepsakeError(error)) throw error;
      }
    }
  }

  async #latest(ref: AgentRef, before: number, options: OpOptions): Promise<SnapshotRecord> {
    let left = before;
    for await (const record of this.#readable(ref, await this.#ids(ref, options), options))
      if (left-- === 0) return record;
    throw notFound(ref, before === 0 ? "latest" : `latest~${String(before)}`);
  }

  async #byId(ref: AgentRef, id: string, options: OpOptions): Promise<SnapshotRecord> {
    try {
      return await this.#readRecord(recordKey(ref, parseSnapshotId(id)), options);
    } catch (error) {
      if (isKeepsakeError(error, "E_NOT_FOUND")) throw notFound(ref, id);
      throw error;
    }
  }

  async #readRecord(key: string, options: OpOptions): Promise<SnapshotRecord> {
    const { body } = await this.#store.get(key, options);
    const record = parseRecord(await collectBytes(body, MAX_RECORD_BYTES));
    checkPlace(record, key);
    return record;
  }
}

/** A record speaks of its own snapshot alone: a planted one must not point elsewhere. */
function checkPlace(record: SnapshotRecord, key: string): void {
  const place = parseKey(key);
  const bundle = parseKey(record.bundlePath);
  const fits = (parts: typeof place) =>
    parts?.id === record.id && parts.agent === record.agentId && parts.tenant === record.tenant;
  if (fits(place) && fits(bundle) && bundle?.part === "bundle") return;
  throw new KeepsakeError("E_RECORD", `The record ${key} speaks of another snapshot.`, { context: { key } });
}

function keyOf(record: SnapshotRecord): string {
  const ref = { tenant: parseTenantId(record.tenant), agent: parseAgentId(record.agentId) };
  return recordKey(ref, parseSnapshotId(record.id));
}

function notFound({ agent, tenant }: AgentRef, reference: string): KeepsakeError {
  return new KeepsakeError("E_NOT_FOUND", `The agent ${agent} has no snapshot ${reference}.`, {
    context: { agent, tenant, ref: reference },
    hint: `See \`keepsake list --agent ${agent}\`.`,
  });
}
