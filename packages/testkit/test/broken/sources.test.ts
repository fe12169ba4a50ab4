import { chmod, lstat, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type {
  ArtifactSource,
  BundleEntry,
  CaptureSession,
  CaptureTarget,
  RestoreSession,
  RestoreTarget,
} from "@keepsake/core";
import { streamOf } from "@keepsake/core";
import { describe } from "vitest";
import { sourceConformance, type SourceSubject } from "../../src/index.js";
import { type Broken, expectBroken } from "./expect-broken.js";
import { notesSource, notesIn, notesSubject } from "./notes-source.js";

type ChangeCapture = (
  session: CaptureSession,
  target: CaptureTarget,
) => Partial<CaptureSession> | Promise<Partial<CaptureSession>>;
type ChangeRestore = (session: RestoreSession, target: RestoreTarget) => Partial<RestoreSession>;

/** A right source, some members of whose captures are replaced. */
function capturing(change: ChangeCapture) {
  return (dir: string): Promise<SourceSubject> => {
    const source = notesSource();
    const open: ArtifactSource["open"] = async (target, options) => {
      const session = await source.open(target, options);
      return { ...session, ...(await change(session, target)) };
    };
    return notesSubject(dir, { ...source, open });
  };
}

/** A right source, some members of whose restores are replaced. */
function restoring(change: ChangeRestore) {
  return (dir: string): Promise<SourceSubject> => {
    const source = notesSource();
    const openRestore: ArtifactSource["openRestore"] = async (target) => {
      const session = await source.openRestore?.(target);
      if (session === undefined) throw new TypeError("no restore");
      return { ...session, ...change(session, target) };
    };
    return notesSubject(dir, { ...source, openRestore });
  };
}

const notesOf = ({ paths }: { readonly paths: { readonly memory: string } }): string => join(paths.memory, "notes");

const SOURCES: readonly Broken<SourceSubject>[] = [
  {
    wrong: "leaves a lock beside the data",
    make: capturing(async (_session, { paths }) => {
      await writeFile(join(paths.memory, ".lock"), "");
      return {};
    }),
    fails: ["source.abort", "source.dispose", "source.empty", "source.untouched"],
  },
  {
    wrong: "writes into the data when it is pinned",
    make: capturing((session, target) => ({
      async pin(options) {
        for (const { name } of await notesIn(notesOf(target))) await utimes(join(notesOf(target), name), 1, 1);
        return session.pin(options);
      },
    })),
    fails: ["source.abort", "source.dispose", "source.fence.quiet", "source.untouched"],
  },
  {
    wrong: "has a fence that never moves",
    make: capturing(() => ({ fence: async () => "always" })),
    fails: ["source.fence.moves", "source.fence.rewrite"],
  },
  {
    wrong: "has a fence of sizes and inode numbers alone",
    make: capturing((_session, target) => ({
      async fence() {
        const names = (await notesIn(notesOf(target))).map(({ name }) => name);
        const facts = names.map(async (name) => {
          const { ino, size } = await lstat(join(notesOf(target), name));
          return `${name} ${ino} ${size}`;
        });
        return (await Promise.all(facts)).join();
      },
    })),
    fails: ["source.fence.rewrite"],
  },
  {
    wrong: "has a fence that moves by itself",
    make: capturing(() => {
      let count = 0;
      return { fence: async () => String(count++) };
    }),
    fails: ["source.fence.quiet"],
  },
  {
    wrong: "calls a pin held and reads later",
    make: capturing((session) => ({
      async *entries(options) {
        await session.pin();
        yield* session.entries(options);
      },
    })),
    fails: ["source.pin"],
  },
  {
    wrong: "gives entries after it was disposed",
    make: capturing(() => ({ [Symbol.asyncDispose]: async () => undefined })),
    fails: ["source.after-dispose"],
  },
  {
    wrong: "cannot be disposed twice",
    make: capturing((session) => {
      let isClosed = false;
      return {
        async [Symbol.asyncDispose]() {
          if (isClosed) throw new Error("closed twice");
          isClosed = true;
          await session[Symbol.asyncDispose]();
        },
      };
    }),
    fails: ["source.dispose", "source.pin"],
  },
  {
    wrong: "cannot release a hold twice",
    make: capturing(() => ({
      async hold() {
        let isHeld = true;
        return {
          async [Symbol.asyncDispose]() {
            if (!isHeld) throw new Error("released twice");
            isHeld = false;
          },
        };
      },
    })),
    fails: ["source.dispose", "source.hold"],
  },
  {
    wrong: "gives absolute paths",
    make: capturing((session) => ({
      async *entries(options) {
        for await (const entry of session.entries(options)) yield { ...entry, path: `/${entry.path}` };
      },
    })),
    fails: [
      "source.commit.twice",
      "source.entries",
      "source.finish",
      "source.omitted",
      "source.pin",
      "source.restore",
      "source.restore.dispose",
      "source.restore.gone",
      "source.restore.modes",
      "source.restore.same",
      "source.rollback",
      "source.rollback.early",
      "source.rollback.half",
      "source.stage",
    ],
  },
  {
    wrong: "gives a path twice",
    make: capturing((session) => ({
      async *entries(options) {
        for await (const entry of session.entries(options)) {
          yield entry;
          if (entry.path === "a.md" && entry.type === "file")
            yield { ...entry, content: { stream: streamOf("note a.md") } };
        }
      },
    })),
    fails: ["source.entries", "source.omitted"],
  },
  {
    wrong: "gives the type of a file for its mode",
    make: capturing((session) => ({
      async *entries(options) {
        for await (const entry of session.entries(options)) {
          yield entry.type === "file" ? { ...entry, mode: 0o100_644 } : entry;
        }
      },
    })),
    fails: ["source.entries", "source.restore.modes", "source.restore.same"],
  },
  {
    wrong: "hands over the live files themselves",
    make: capturing((session, target) => ({
      async *entries(options) {
        for await (const entry of session.entries(options)) {
          yield entry.type === "file" ? { ...entry, content: { file: join(notesOf(target), entry.path) } } : entry;
        }
      },
    })),
    fails: [
      "source.commit.twice",
      "source.entries",
      "source.finish",
      "source.pin",
      "source.restore",
      "source.rollback.half",
    ],
  },
  {
    wrong: "makes up a reason for an omission",
    make: capturing((session) => ({
      async *entries(options) {
        for await (const entry of session.entries(options)) {
          yield entry.path === "c.md" ? ({ type: "omitted", path: "c.md", reason: "mood" } as never) : entry;
        }
      },
    })),
    fails: ["source.entries", "source.restore.gone"],
  },
  {
    wrong: "does not look at the signal of its entries",
    make: capturing((session) => ({ entries: () => session.entries() })),
    fails: ["source.abort"],
  },
  {
    wrong: "claims a place by a relative path",
    make: capturing(() => ({ claims: [{ path: "notes", scope: "tree" }] })),
    fails: ["source.claims"],
  },
  {
    wrong: "watches another place than the one that it captures",
    make: capturing((_session, target) => ({
      watched: [{ path: join(target.paths.memory, "elsewhere"), scope: "tree" }],
    })),
    fails: ["source.watched"],
  },
  {
    wrong: "watches a place by a relative path",
    make: capturing(() => ({ watched: [{ path: "notes", scope: "tree" }] })),
    fails: ["source.watched"],
  },
  {
    wrong: "watches its data, and says that what becomes of a note does not count",
    make: capturing((_session, target) => ({
      watched: [
        { path: notesOf(target), scope: "tree" },
        ...["a.md", "b.md", "c.md", "d.md"].map((name) => ({
          path: join(notesOf(target), name),
          scope: "path" as const,
          counts: "nothing" as const,
        })),
      ],
    })),
    fails: ["source.watched"],
  },
  {
    wrong: "throws where there is nothing",
    make: capturing(async (_session, target) => {
      await readFile(join(notesOf(target), "a.md"));
      return {};
    }),
    fails: ["source.empty", "source.restore.gone", "source.restore.nothing"],
  },
  {
    wrong: "stages in the live data",
    make: restoring((session, target) => ({
      async stage(entries, omitted, options) {
        const plan = await session.stage(entries, omitted, options);
        await writeFile(join(target.paths.memory, "staged"), "");
        return plan;
      },
    })),
    fails: ["source.restore.dispose", "source.restore.same", "source.rollback.early", "source.stage"],
  },
  {
    wrong: "has a plan that is no JSON",
    make: restoring((session) => ({
      async stage(entries, omitted, options) {
        const plan = await session.stage(entries, omitted, options);
        return { ...plan, data: { ...plan.data, made: new Date() as never } };
      },
    })),
    fails: ["source.stage"],
  },
  {
    wrong: "keeps its plan in the session",
    make: restoring((session) => {
      let isStaged = false;
      return {
        async stage(entries, omitted, options) {
          isStaged = true;
          return session.stage(entries, omitted, options);
        },
        commit: async (plan, options) => (isStaged ? session.commit(plan, options) : undefined),
      };
    }),
    fails: [
      "source.commit.twice",
      "source.finish",
      "source.pin",
      "source.restore",
      "source.restore.modes",
      "source.restore.nothing",
    ],
  },
  {
    wrong: "says nothing of its changes",
    make: restoring((session) => ({
      stage: async (entries, omitted, options) => ({
        ...(await session.stage(entries, omitted, options)),
        changes: [],
      }),
    })),
    fails: ["source.stage"],
  },
  {
    wrong: "plans changes where there are none",
    make: restoring((session) => ({
      async stage(entries, omitted, options) {
        const plan = await session.stage(entries, omitted, options);
        return { ...plan, changes: [...plan.changes, { action: "set_attributes", path: "other" }] };
      },
    })),
    fails: ["source.restore.same"],
  },
  {
    wrong: "takes back what its changes say, which no journal keeps",
    make: restoring((session) => ({
      rollback: async (plan, options) => (plan.changes.length > 0 ? session.rollback(plan, options) : undefined),
    })),
    fails: ["source.rollback", "source.rollback.half"],
  },
  {
    wrong: "cannot commit twice",
    make: restoring((session) => ({
      async commit(plan, options) {
        const [step] = plan.data["steps"] as { readonly staged: string | null }[];
        if (step?.staged !== null && step !== undefined) await readFile(step.staged);
        await session.commit(plan, options);
      },
    })),
    fails: ["source.commit.twice", "source.rollback.half"],
  },
  {
    wrong: "commits what is left when it is stopped, and tells nobody",
    make: restoring((session) => ({ commit: (plan) => session.commit(plan) })),
    fails: [],
  },
  {
    wrong: "takes nothing back",
    make: restoring(() => ({ rollback: async () => undefined })),
    fails: ["source.rollback", "source.rollback.half"],
  },
  {
    wrong: "takes back only what it has seen to its end",
    make: restoring((session) => ({
      async rollback(plan) {
        const steps = plan.data["steps"] as { readonly staged: string | null }[];
        for (const { staged } of steps) {
          const isLeft =
            staged !== null &&
            (await readFile(staged).then(
              () => true,
              () => false,
            ));
          if (isLeft) return;
        }
        await session.rollback(plan);
      },
    })),
    fails: ["source.rollback.half"],
  },
  {
    wrong: "leaves what the snapshot did not have",
    make: restoring((session) => ({
      async stage(entries, omitted, options) {
        const plan = await session.stage(entries, omitted, options);
        const steps = (plan.data["steps"] as { readonly staged: string | null }[]).filter(
          ({ staged }) => staged !== null,
        );
        return { ...plan, changes: plan.changes.filter(({ action }) => action !== "delete"), data: { steps } };
      },
    })),
    fails: [
      "source.commit.twice",
      "source.finish",
      "source.pin",
      "source.restore",
      "source.restore.nothing",
      "source.rollback.half",
    ],
  },
  {
    wrong: "removes what the snapshot had omitted",
    make: restoring((session) => ({ stage: (entries, _omitted, options) => session.stage(entries, [], options) })),
    fails: ["source.omitted"],
  },
  {
    wrong: "stages although its signal has fired",
    make: restoring((session) => ({ stage: (entries, omitted) => session.stage(entries, omitted) })),
    fails: ["source.stage.abort"],
  },
  {
    wrong: "gives all it brings back one mode",
    make: restoring((session, target) => ({
      async commit(plan, options) {
        await session.commit(plan, options);
        for (const { name, staged } of plan.data["steps"] as { readonly name: string; readonly staged: unknown }[]) {
          if (staged !== null) await chmod(join(notesOf(target), name), 0o640);
        }
      },
    })),
    fails: ["source.restore.modes"],
  },
  {
    wrong: "touches the data when it finishes",
    make: restoring((_session, target) => ({
      finish: async () => await writeFile(join(notesOf(target), "finished.md"), "").catch(() => undefined),
    })),
    fails: ["source.finish", "source.restore", "source.restore.gone", "source.restore.nothing", "source.restore.same"],
  },
];

describe("the source suite", () => {
  expectBroken(sourceConformance, (dir) => notesSubject(dir), SOURCES);
});

/** A right source that restores a part, some members of whose restores are replaced. */
function restoringPart(change: ChangeRestore = () => ({})) {
  return (dir: string): Promise<SourceSubject> => {
    const source = notesSource();
    const openRestore: ArtifactSource["openRestore"] = async (target) => {
      const session = await source.openRestore?.(target);
      if (session === undefined) throw new TypeError("no restore");
      const isSelected = (path: string): boolean => target.only?.has(join(notesOf(target), path), path) ?? true;
      const part: RestoreSession = {
        ...session,
        needs: ({ path }) => isSelected(path),
        async stage(entries, omitted, options) {
          const selected = async function* (): AsyncGenerator<BundleEntry> {
            for await (const entry of entries) if (isSelected(entry.path)) yield entry;
          };
          const names = [...target.artifacts.map(inNotes), ...(await notesIn(notesOf(target))).map(({ name }) => name)];
          const left = names.filter((path) => !isSelected(path));
          const stays = left.map((path) => ({ source: "notes", path, reason: "unreadable" as const }));
          return session.stage(selected(), [...omitted, ...stays], options);
        },
      };
      return { ...part, ...change(part, target) };
    };
    return notesSubject(dir, { ...source, restores: "part", openRestore });
  };
}

const inNotes = ({ pathInBundle }: { readonly pathInBundle: string }): string => pathInBundle.replace("notes/", "");

describe("the source suite, of a source that restores a part", () => {
  expectBroken(sourceConformance, restoringPart(), [
    {
      wrong: "needs less than it reads",
      make: restoringPart(({ needs }) => ({ needs: (entry) => entry.path !== "b.md" && needs?.(entry) === true })),
      fails: ["source.restore.part"],
    },
    {
      wrong: "passes over what comes without a file",
      make: restoringPart(({ stage }) => ({
        needs: () => false,
        async stage(entries, omitted, options) {
          const there: BundleEntry[] = [];
          for await (const entry of entries) if (entry.file !== undefined) there.push(entry);
          return stage(Readable.from(there), omitted, options);
        },
      })),
      fails: ["source.restore.part"],
    },
  ]);
});

describe("the source suite, of a source that only captures and has no fence", () => {
  expectBroken(
    sourceConformance,
    (dir) => {
      const { openRestore: _none, ...source } = notesSource();
      const open: ArtifactSource["open"] = async (target, options) => {
        const { fence: _fence, hold: _hold, ...session } = await source.open(target, options);
        return session;
      };
      return notesSubject(dir, { ...source, open });
    },
    [],
  );
});

describe("the source suite, of a source whose data nobody can make", () => {
  expectBroken(sourceConformance, async (dir) => ({ ...(await notesSubject(dir)), live: null }), []);
});
