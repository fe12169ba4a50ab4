import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ArtifactSource,
  type JsonObject,
  KeepsakeError,
  sha256Hex,
  type StateItem,
  type StateProvider,
} from "@keepsake/core";
import { memoryStore, treeDigest, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { engineBench, type EngineBench } from "./support/engine-bench.js";
import { folderSource, type RestoreHook } from "./support/folder-source.js";

const NAMES = ["first", "second", "third"];
const WANT = { agent: "ana", ref: "latest" };

/** State values in memory, which outlive a simulated crash. */
function valuesIn(values: Map<string, StateItem>): StateProvider {
  return {
    id: "values",
    keys: ["cursor", "run"],
    async *capture() {
      yield* values.values();
    },
    async restore(_target, items) {
      values.clear();
      for (const item of items) values.set(item.key, item);
    },
  };
}

interface Case extends AsyncDisposable {
  readonly bench: EngineBench;
  state(): Promise<unknown>;
  /** the engine again, as a new process has it, without what is in the way */
  again(): Promise<EngineBench["snapshotter"]>;
}

/** Three sources and a state value, captured, then changed; `hook` is in the way of the restore alone. */
async function restoreCase(hook: RestoreHook, remainder?: string): Promise<Case> {
  const values = new Map<string, StateItem>([["cursor", { key: "cursor", value: 1 }]]);
  const armed: { hook: RestoreHook } = { hook: () => undefined };
  const sources = NAMES.map((name): ArtifactSource => {
    const source = folderSource(name, (step, id) => armed.hook(step, id));
    return name === remainder ? { ...source, takes: "remainder" } : source;
  });
  const bench = await engineBench({ sources, state: [valuesIn(values)], store: memoryStore() });
  await writeTree(
    bench.memory,
    Object.fromEntries(
      NAMES.flatMap((name) => [
        [`${name}/a`, "old a"],
        [`${name}/b`, "old b"],
      ]),
    ),
  );
  await bench.snapshotter.snapshot({ agent: "ana" });
  await writeTree(
    bench.memory,
    Object.fromEntries(
      NAMES.flatMap((name) => [
        [`${name}/a`, "now"],
        [`${name}/c`, "added"],
      ]),
    ),
  );
  values.set("run", { key: "run", value: { asleep: true } });
  armed.hook = hook;
  return {
    bench,
    state: async () => ({ tree: await treeDigest(bench.memory, { mtimes: "none" }), values: [...values.values()] }),
    again: async () => {
      armed.hook = () => undefined;
      return bench.snapshotter;
    },
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

/** A hook that does `act` at its n-th call of these steps; counts them all. */
function nth(at: number, steps: readonly string[], act: () => void) {
  const seen = { count: 0 };
  const hook: RestoreHook = (step) => {
    if (steps.includes(step) && ++seen.count === at) act();
  };
  return { hook, seen };
}

const fail = (): never => {
  throw new KeepsakeError("E_NO_SPACE", "Full.");
};

async function leftBeside({ bench }: Case): Promise<string[]> {
  return (await readdir(bench.dir.path)).filter((name) => name.startsWith(".keepsake-"));
}

async function journalOf({ bench }: Case): Promise<string | undefined> {
  return readFile(join(bench.stateRoot, "journals/default/ana.json"), "utf8").catch(() => undefined);
}

describe("a restore over three sources and state", () => {
  it("is the whole new state when nothing fails", async () => {
    await using restore = await restoreCase(() => undefined);
    const report = await restore.bench.snapshotter.restore(WANT);
    expect(await restore.state()).toMatchObject({ values: [{ key: "cursor", value: 1 }] });
    expect(Object.keys(await treeDigest(restore.bench.memory)).filter((path) => path.endsWith("/c"))).toEqual([]);
    expect(report.plan.filter(({ source }) => source === "state")).toEqual([
      { source: "state", action: "delete", path: "run" },
    ]);
    expect([await leftBeside(restore), await journalOf(restore)]).toEqual([[], undefined]);
    expect(report.preSnapshot).toBeDefined();
  });

  it("stages those with places of their own at once, each in a place that the journal knows, then the remainder", {
    timeout: 30_000,
  }, async () => {
    const met: string[] = [];
    let meet: () => void = () => undefined;
    const allMet = new Promise<void>((resolve) => (meet = resolve));
    const places: unknown[] = [];
    await using restore = await restoreCase(async (step, source) => {
      if (step !== "stage") return;
      met.push(source);
      if (met.length === 2) {
        places.push((JSON.parse((await journalOf(restore)) ?? "{}") as JsonObject)["stagingDirs"]);
        meet();
      }
      // Each waits for the other: one after the other they would wait for ever.
      await allMet;
    }, "third");
    await restore.bench.snapshotter.restore(WANT);
    expect([...met.slice(0, 2).sort(), ...met.slice(2)]).toEqual(NAMES);
    expect(new Set(places.flat()).size).toBe(2);
  });

  it("is the whole old state whichever step before the end fails", async () => {
    const steps = ["open", "stage", "commit"];
    const counter = nth(0, steps, fail);
    {
      await using untouched = await restoreCase(counter.hook);
      await untouched.bench.snapshotter.restore(WANT);
    }
    expect(counter.seen.count).toBeGreaterThan(12);
    for (let at = 1; at <= counter.seen.count; at++) {
      await using restore = await restoreCase(nth(at, steps, fail).hook);
      const before = await restore.state();
      await expect(restore.bench.snapshotter.restore(WANT), `step ${String(at)}`).rejects.toMatchObject({
        code: "E_NO_SPACE",
      });
      expect(await restore.state(), `step ${String(at)}`).toEqual(before);
      expect([await leftBeside(restore), await journalOf(restore)]).toEqual([[], undefined]);
    }
  });

  it("can be aborted at every step until it is committed", async () => {
    for (let at = 1; at <= 12; at += 2) {
      const abort = new AbortController();
      await using restore = await restoreCase(nth(at, ["stage", "commit"], () => abort.abort()).hook);
      const before = await restore.state();
      await expect(restore.bench.snapshotter.restore(WANT, { signal: abort.signal })).rejects.toMatchObject({
        name: "AbortError",
      });
      expect(await restore.state(), `step ${String(at)}`).toEqual(before);
      expect([await leftBeside(restore), await journalOf(restore)]).toEqual([[], undefined]);
    }
  });

  it("leaves a journal when taking back fails too, and recovery takes it back in any order of trouble", async () => {
    for (const brokenRollback of [1, 2, 3]) {
      let commits = 0;
      let rollbacks = 0;
      await using restore = await restoreCase((step, source) => {
        if (step === "commit" && source === "second" && ++commits === 2) fail();
        if (step === "rollback" && ++rollbacks >= brokenRollback) fail();
      });
      const before = await restore.state();
      const error = await restore.bench.snapshotter.restore(WANT).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "E_IO", hint: expect.stringContaining("recover") as string });
      expect(await restore.state(), "half-way, as the journal knows").not.toEqual(before);
      expect(await journalOf(restore)).toContain('"phase":"intent"');
      expect((await restore.bench.snapshotter.doctor({})).ok).toBe(false);

      const snapshotter = await restore.again();
      const { restores } = await snapshotter.recover({ agent: "ana" });
      expect(restores).toMatchObject([{ agentId: "ana", outcome: "rolled_back" }]);
      expect(await restore.state()).toEqual(before);
      expect([await leftBeside(restore), await journalOf(restore)]).toEqual([[], undefined]);
      expect((await snapshotter.recover({})).restores).toEqual([]);
    }
  });

  it("is the whole new state once it was committed, though the clean-up fails", async () => {
    await using restore = await restoreCase((step) => (step === "finish" ? fail() : undefined));
    await using untouched = await restoreCase(() => undefined);
    await untouched.bench.snapshotter.restore(WANT);
    await restore.bench.snapshotter.restore(WANT).catch(() => undefined);
    expect(await restore.state()).toEqual(await untouched.state());
    const { restores } = await (await restore.again()).recover({});
    expect(restores).toMatchObject([{ outcome: "completed" }]);
    expect(await restore.state()).toEqual(await untouched.state());
    expect([await leftBeside(restore), await journalOf(restore)]).toEqual([[], undefined]);
  });

  it("is recovered first by whatever operation comes next", async () => {
    await using restore = await restoreCase((step, source) => {
      if (step === "rollback" || (step === "commit" && source === "third")) fail();
    });
    const before = await restore.state();
    await restore.bench.snapshotter.restore(WANT).catch(() => undefined);
    await (await restore.again()).snapshot({ agent: "ana" });
    expect(await restore.state()).toEqual(before);
  });

  it("stops when the lock was lost before the commit", async () => {
    let lose = (): void => undefined;
    await using restore = await restoreCase((step, source) => {
      if (step === "stage" && source === "third") lose();
    });
    lose = () => restore.bench.locks.lose("agents/default/ana");
    const before = await restore.state();
    await expect(restore.bench.snapshotter.restore({ ...WANT, preSnapshot: false })).rejects.toMatchObject({
      code: "E_LOCK_LOST",
    });
    expect(await restore.state()).toEqual(before);
  });
});

describe("a journal", () => {
  async function interrupted(): Promise<Case> {
    const restore = await restoreCase((step, source) => {
      if (step === "rollback" || (step === "commit" && source === "third")) fail();
    });
    await restore.bench.snapshotter.restore(WANT).catch(() => undefined);
    await restore.again();
    return restore;
  }

  const rewrite = async (restore: Case, change: (text: string) => string): Promise<void> => {
    await writeFile(
      join(restore.bench.stateRoot, "journals/default/ana.json"),
      change((await journalOf(restore)) ?? ""),
    );
  };

  it("that is damaged stops every operation on the agent, and nothing is changed by it", async () => {
    await using restore = await interrupted();
    const whole = (await journalOf(restore)) ?? "";
    const state = await restore.state();
    for (let at = 0; at < whole.length; at += 97) {
      for (const damaged of [
        `${whole.slice(0, at)}${whole[at] === "x" ? "y" : "x"}${whole.slice(at + 1)}`,
        whole.slice(0, at),
      ]) {
        await rewrite(restore, () => damaged);
        const { snapshotter } = restore.bench;
        const works = [
          () => snapshotter.recover({}),
          () => snapshotter.snapshot({ agent: "ana" }),
          () => snapshotter.restore(WANT),
        ];
        for (const work of works)
          await expect(work(), `at ${String(at)}`).rejects.toMatchObject({ code: "E_INTEGRITY" });
      }
    }
    expect(await restore.state()).toEqual(state);
    await rewrite(restore, () => whole);
    expect((await restore.bench.snapshotter.recover({})).restores).toHaveLength(1);
  });

  it("of a newer program is left to that program", async () => {
    await using restore = await interrupted();
    const { digest: _digest, ...body } = JSON.parse((await journalOf(restore)) ?? "") as Record<string, unknown>;
    await rewrite(restore, () => sealed({ ...body, version: 2 }));
    await expect(restore.bench.snapshotter.recover({})).rejects.toMatchObject({ code: "E_FORMAT_TOO_NEW" });
  });

  it("that was being written when the process died is no agent, and goes", async () => {
    await using restore = await restoreCase(() => undefined);
    const folder = join(restore.bench.stateRoot, "journals/default");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "ana.json.partial"), "{");
    expect((await restore.bench.snapshotter.recover({})).restores).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});

/** As the journal seals itself: SHA-256 over RFC 8785's form; keys sorted, plain values. */
function sealed(body: Record<string, unknown>): string {
  const canonical = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
  };
  return JSON.stringify({ ...body, digest: sha256Hex(canonical(body)) });
}
