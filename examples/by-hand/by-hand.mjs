import { createReadStream } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  collectBytes,
  HashedStream,
  KeepsakeError,
  parseAgentId,
  parseArtifactPath,
  parseTenantId,
  streamOf,
} from "@keepsake/core";

const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** Codecs are applied in their order, and taken off in reverse; the name says which they were. */
const encoded = (body, codecs, signal) => codecs.reduce((stream, codec) => codec.encode(stream, { signal }), body);
const decoded = (body, codecs, maxOutputBytes, signal) =>
  codecs.reduceRight((stream, codec, index) => {
    // What only another codec reads may be a little longer than the content itself.
    const limit = index === 0 ? maxOutputBytes : maxOutputBytes * 2 + 65_536;
    return codec.decode(stream, { maxOutputBytes: limit, signal });
  }, body);
/** A stream, a file or the bytes themselves: what a source hands over that was told of nothing it has brought before. */
const contentOf = ({ stream, file, bytes }) =>
  stream ?? (bytes === undefined ? createReadStream(file) : streamOf(bytes));
const suffixOf = (codecs) => codecs.map(({ suffix }) => suffix).join("");

/**
 * Keeps what a source captures: an object for each file, and last the index. Who looks for the index sees all or nothing.
 *
 * @param {{ source: import("@keepsake/core").ArtifactSource, codecs: readonly import("@keepsake/core").Codec[],
 *   store: import("@keepsake/core").BundleStore }} parts
 * @param {{ agent: string, memory: string, name: string, signal?: AbortSignal }} request `memory` absolute; `name` new
 */
export async function keep({ source, codecs, store }, { agent, memory, name, signal }) {
  const scratchDir = await mkdtemp(join(tmpdir(), "by-hand-"));
  const [artifacts, missing, keys] = [[], [], []];
  let session;
  async function put(key, body) {
    await store.put(key, encoded(body, codecs, signal), { signal });
    keys.push(key); // not before: a key that was taken is somebody else's
  }
  try {
    const ref = { tenant: parseTenantId("default"), agent: parseAgentId(agent) };
    session = await source.open({ agent: ref, paths: { memory }, scratchDir, claimed: [] }, { signal });
    const before = await session.fence?.({ signal });
    const guarantee = await session.pin({ signal });
    for await (const entry of session.entries({ signal })) {
      if (entry.type === "file") {
        const hashed = new HashedStream(contentOf(entry.content));
        const key = `${name}/${artifacts.length}${suffixOf(codecs)}`;
        await put(key, hashed);
        const { path, mode, mtimeMs } = entry;
        artifacts.push({ type: "file", path, mode, mtimeMs, key, ...hashed.digest });
      } else if (entry.type === "directory") artifacts.push(entry);
      else missing.push({ path: entry.path, reason: entry.reason ?? entry.type }); // links, too: see the README
    }
    // A view that only the fence can prove is one moment when it did not move.
    if (guarantee === "fenced" && (await session.fence?.({ signal })) !== before) {
      throw new KeepsakeError("E_SOURCE_CHANGED", "The memory was changed while it was read.");
    }
    await put(`${name}/index${suffixOf(codecs)}`, streamOf(JSON.stringify({ artifacts, missing })));
    return { artifacts, missing };
  } catch (error) {
    // Without the signal, which may be why we are here. What cannot be removed is without an index, and so nothing.
    for (const key of keys) await store.delete(key).catch(() => false);
    throw error;
  } finally {
    await session?.[Symbol.asyncDispose]();
    await rm(scratchDir, { recursive: true, force: true });
  }
}

/**
 * Writes what was kept into a new folder. Nothing that the store gives is believed: paths, sizes and digests are checked.
 *
 * @param {{ codecs: readonly import("@keepsake/core").Codec[], store: import("@keepsake/core").BundleStore }} parts
 * @param {{ name: string, folder: string, signal?: AbortSignal }} request `folder` must not exist; it is gone on a failure
 */
export async function takeOut({ codecs, store }, { name, folder, signal }) {
  const open = async (key, maxOutputBytes) =>
    decoded((await store.get(key, { signal })).body, codecs, maxOutputBytes, signal);
  const index = await collectBytes(await open(`${name}/index${suffixOf(codecs)}`, MAX_INDEX_BYTES), MAX_INDEX_BYTES);
  const { artifacts, missing } = JSON.parse(Buffer.from(index).toString());
  await mkdir(folder, { mode: 0o700 });
  try {
    for (const { type, path, key, sizeBytes, sha256 } of artifacts) {
      const place = join(folder, parseArtifactPath(path));
      await mkdir(type === "directory" ? place : dirname(place), { recursive: true });
      if (type === "file") {
        const content = new HashedStream(await open(key, sizeBytes));
        await writeFile(place, content, { flag: "wx", signal });
        if (content.digest.sha256 !== sha256) {
          throw new KeepsakeError("E_INTEGRITY", `What was kept of ${path} is not what was captured.`, {
            context: { path },
          });
        }
      }
    }
    // Last, and what lies inside first: a folder may be read-only, and its time moves with what is written into it.
    for (const { path, mode, mtimeMs } of artifacts.toReversed()) {
      await chmod(join(folder, path), mode);
      await utimes(join(folder, path), mtimeMs / 1000, mtimeMs / 1000);
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return { artifacts, missing };
}
