import { chmod, copyFile, lstat, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ArtifactSource,
  type CaptureSession,
  type JsonObject,
  type RestorePlan,
  type RestoreSession,
  type RestoreTarget,
  type SourceEntry,
  streamOf,
} from "@keepsake/core";
import type { LiveData, SourceSubject } from "../../src/index.js";

/** One change: a file is put, or taken away; what was there is kept. */
interface Step extends JsonObject {
  readonly name: string;
  readonly staged: string | null;
  readonly undo: string;
}

export interface Note {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
  readonly mtimeMs: number;
}

export async function notesIn(folder: string): Promise<Note[]> {
  const names = (await readdir(folder).catch(() => [])).sort();
  return Promise.all(
    names.map(async (name) => {
      const { mode, mtimeMs } = await lstat(join(folder, name));
      const text = await readFile(join(folder, name), "utf8");
      return { name, text, mode: mode & 0o7777, mtimeMs: Math.floor(mtimeMs) };
    }),
  );
}

const folderOf = ({ paths }: { readonly paths: { readonly memory: string } }): string => join(paths.memory, "notes");

/** A source of the plain files in `<memory>/notes`, which it reads when it is pinned. */
export function notesSource(): ArtifactSource {
  return {
    id: "notes",
    kind: "test/notes",
    async open(target, { signal } = {}) {
      signal?.throwIfAborted();
      return captureOf(folderOf(target));
    },
    openRestore: async (target) => restoreOf(target),
  };
}

function captureOf(folder: string): CaptureSession {
  let notes: Note[] = [];
  let isClosed = false;
  return {
    claims: [{ path: folder, scope: "tree" }],
    watched: [{ path: folder, scope: "tree" }],
    hold: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
    async pin({ signal } = {}) {
      signal?.throwIfAborted();
      notes = await notesIn(folder);
      return "held";
    },
    fence: async () => JSON.stringify(await notesIn(folder)),
    async *entries({ signal } = {}): AsyncGenerator<SourceEntry> {
      if (isClosed) throw new TypeError("closed");
      for (const { name, text, mode, mtimeMs } of notes) {
        signal?.throwIfAborted();
        yield { type: "file", path: name, mode, mtimeMs, content: { stream: streamOf(text) } };
      }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
    },
  };
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

function restoreOf(target: RestoreTarget): RestoreSession {
  const folder = folderOf(target);
  const stepsOf = ({ data }: RestorePlan): Step[] => data["steps"] as never;
  return {
    claims: [{ path: folder, scope: "tree" }],
    async stage(entries, omitted, { signal } = {}) {
      signal?.throwIfAborted();
      const place = await target.stageBeside(folder);
      const live = new Map((await notesIn(folder)).map((note) => [note.name, note]));
      const steps: Step[] = [];
      const wanted = new Set(omitted.map(({ path }) => path));
      for await (const { path, file = "", meta } of entries) {
        wanted.add(path);
        const mode = meta.type === "file" ? meta.mode : 0;
        const there = live.get(path);
        if (there?.mode === mode && there.text === (await readFile(file, "utf8"))) continue;
        const staged = join(place, `new-${path}`);
        await copyFile(file, staged);
        await chmod(staged, mode);
        await utimes(staged, meta.mtimeMs / 1000, meta.mtimeMs / 1000);
        steps.push({ name: path, staged, undo: join(place, `old-${path}`) });
      }
      for (const name of live.keys()) {
        if (!wanted.has(name)) steps.push({ name, staged: null, undo: join(place, `old-${name}`) });
      }
      const changes = steps.map(({ name, staged }) => ({
        action: staged === null ? ("delete" as const) : live.has(name) ? ("replace" as const) : ("create" as const),
        path: name,
      }));
      return { changes, data: { steps }, notices: [] };
    },
    async commit(plan, { signal } = {}) {
      for (const { name, staged, undo } of stepsOf(plan)) {
        signal?.throwIfAborted();
        const live = join(folder, name);
        const isPlaced = staged === null ? await isThere(undo) : !(await isThere(staged));
        if (isPlaced) continue;
        await mkdir(folder, { recursive: true });
        if ((await isThere(live)) && !(await isThere(undo))) await rename(live, undo);
        if (staged !== null) await rename(staged, live);
      }
    },
    async rollback(plan) {
      for (const { name, staged, undo } of stepsOf(plan).toReversed()) {
        const live = join(folder, name);
        if (staged !== null && !(await isThere(staged)) && (await isThere(live))) await rename(live, staged);
        if (await isThere(undo)) await rename(undo, live);
      }
    },
    finish: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Three notes in a memory below `dir`. */
export async function notesSubject(dir: string, source: ArtifactSource = notesSource()): Promise<SourceSubject> {
  const memory = join(dir, "memory");
  const folder = join(memory, "notes");
  await mkdir(memory);
  let changes = 0;
  const live: LiveData = {
    async make() {
      await mkdir(folder, { recursive: true });
      for (const name of ["a.md", "b.md", "c.md"]) await writeFile(join(folder, name), `note ${name}`);
    },
    async change() {
      await writeFile(join(folder, "a.md"), `changed ${String(++changes)}`);
      await rm(join(folder, "b.md"), { force: true });
      await writeFile(join(folder, "d.md"), "new");
    },
    read: async () => (await notesIn(folder)).map(({ name, text }) => [name, text]),
  };
  return { source, memory, live };
}
