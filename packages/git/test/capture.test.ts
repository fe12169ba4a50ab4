import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAgentId, parseTenantId } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { pinState, StateCopies } from "../src/capture/pinned-state.js";
import { git } from "../src/git.js";
import {
  attempt,
  busy,
  capture,
  type Captured,
  commitFile,
  extract,
  freshDir,
  notes,
  program,
  run,
  write,
} from "./harness.js";

const AGENT = { tenant: parseTenantId("default"), agent: parseAgentId("ana") };
const paths = (captured: Captured): string[] => captured.entries.map((entry) => entry.path);
const bare = (dir: string, ...args: string[]): { ok: boolean; text: string } =>
  attempt(dir, `--git-dir=${dir}`, ...args);

function expectSound(dir: string): void {
  const checked = bare(dir, "fsck", "--full", "--strict");
  expect(checked.text).not.toMatch(/error|missing|broken|corrupt/);
  expect(checked.ok).toBe(true);
}

describe("capturing a repository at rest", () => {
  it("gives a git directory that git finds sound, with the same refs, log and HEAD, before and after a gc", async () => {
    const dir = notes(300);
    run(dir, "tag", "light");
    run(dir, "tag", "-a", "-m", "annotated", "heavy");
    run(dir, "branch", "side", "HEAD~5");
    run(dir, "notes", "add", "-m", "a note on a commit");
    write(dir, "notes/1.md", "stashed\n");
    run(dir, "stash");
    for (const pack of [false, true]) {
      if (pack) run(dir, "gc", "-q");
      const captured = await capture(git(), dir);
      expect(captured.omitted).toEqual([]);
      const out = extract(captured);
      expectSound(out);
      expect(bare(out, "for-each-ref").text).toBe(attempt(dir, "for-each-ref").text);
      expect(bare(out, "log", "--format=%H %s", "--all").text).toBe(
        attempt(dir, "log", "--format=%H %s", "--all").text,
      );
      expect(bare(out, "reflog").text).toBe(attempt(dir, "reflog").text);
      expect(bare(out, "stash", "list").text).toBe(attempt(dir, "stash", "list").text);
      expect(captured.facts.git).toEqual({
        headOid: run(dir, "rev-parse", "HEAD"),
        headSubject: "note 300",
        headAuthor: "Ana <ana@example.org>",
        headTsMs: 1_700_000_300_000,
      });
    }
  });

  it("claims the git directory and leaves locks, sockets and derived files out", async () => {
    const dir = notes(5);
    writeFileSync(join(dir, ".git/index.lock"), "");
    writeFileSync(join(dir, ".git/gc.pid"), "1");
    run(dir, "commit-graph", "write", "--reachable");
    const captured = await capture(git(), dir);
    expect(captured.claims).toEqual([{ path: join(dir, ".git"), scope: "tree" }]);
    expect(captured.omitted.map((o) => [o.path, o.reason])).toEqual([
      ["gc.pid", "excluded"],
      ["index.lock", "excluded"],
    ]);
    expect(paths(captured).filter((path) => /lock|gc\.pid|commit-graph/.test(path))).toEqual([]);
  });

  it("says that there is none, without searching parent folders", async () => {
    const dir = notes(1);
    mkdirSync(join(dir, "below"));
    const captured = await capture(git(), join(dir, "below"));
    expect([captured.entries, captured.claims, captured.absent]).toEqual([[], [], ["HEAD"]]);
    expect(captured.facts.git).toBeUndefined();
  });

  it("takes staged edits along: their blobs are reachable from the index alone", async () => {
    for (const version of ["2", "3", "4"]) {
      const dir = notes(3);
      run(dir, "update-index", "--index-version", version);
      write(dir, "new.md", "staged, not committed\n");
      write(dir, "intent.md", "announced\n");
      run(dir, "add", "new.md");
      run(dir, "add", "-N", "intent.md");
      const out = extract(await capture(git(), dir));
      expectSound(out);
      expect(bare(out, "show", ":new.md").text).toBe("staged, not committed\n");
    }
  });

  it("captures a detached HEAD, an unborn branch, packed refs only, a bare repository", async () => {
    const dir = notes(4);
    run(dir, "checkout", "-q", "HEAD~1");
    run(dir, "pack-refs", "--all");
    const detached = await capture(git(), dir);
    expect(readFileSync(join(extract(detached), "HEAD"), "utf8").trim()).toBe(run(dir, "rev-parse", "HEAD"));
    expectSound(extract(detached));

    const empty = freshDir();
    run(empty, "init", "-q", "-b", "trunk");
    const unborn = await capture(git(), empty);
    expect(unborn.facts.git).toMatchObject({ headOid: "0".repeat(40), headSubject: "(unborn)" });
    expect(bare(extract(unborn), "symbolic-ref", "HEAD").text).toBe("refs/heads/trunk\n");

    const naked = freshDir();
    run(naked, "clone", "-q", "--bare", dir, ".");
    writeFileSync(join(naked, "memory.db"), "not git's");
    const captured = await capture(git(), naked);
    expectSound(extract(captured));
    expect(captured.claims.map((claim) => claim.path)).not.toContain(join(naked, "memory.db"));
    expect(captured.claims.map((claim) => claim.path)).toContain(join(naked, "HEAD"));
  });

  it("captures branches that differ by case alone", async () => {
    const dir = notes(2);
    run(dir, "branch", "topic");
    run(dir, "branch", "Topic");
    const captured = await capture(git(), dir);
    const out = extract(captured);
    expect(bare(out, "for-each-ref").text).toBe(attempt(dir, "for-each-ref").text);
    const folded = paths(captured).map((path) => path.toLowerCase());
    expect(new Set(folded).size).toBe(folded.length);
  });

  it("makes a borrowing repository self-contained", async () => {
    const lender = notes(20);
    run(lender, "gc", "-q");
    const dir = freshDir();
    run(dir, "clone", "-q", "--shared", lender, ".");
    commitFile(dir, "own.md", "mine\n");
    expect(existsSync(join(dir, ".git/objects/info/alternates"))).toBe(true);
    const out = extract(await capture(git(), dir));
    rmSync(lender, { recursive: true });
    expect(attempt(dir, "log").ok).toBe(false);
    expectSound(out);
    expect(bare(out, "rev-list", "--count", "HEAD").text).toBe("21\n");
  });

  it("captures a linked worktree as a repository of its own", async () => {
    const main = notes(10);
    const dir = join(freshDir(), "tree");
    run(main, "worktree", "add", "-q", "-b", "side", dir);
    commitFile(dir, "side.md", "on the side\n");
    write(dir, "staged.md", "staged\n");
    run(dir, "add", "staged.md");
    const captured = await capture(git(), dir);
    expect(captured.claims).toEqual([{ path: join(dir, ".git"), scope: "path" }]);
    const out = extract(captured);
    expectSound(out);
    expect(bare(out, "rev-parse", "HEAD").text.trim()).toBe(run(dir, "rev-parse", "HEAD"));
    expect(bare(out, "show", ":staged.md").text).toBe("staged\n");
    expect(existsSync(join(out, "commondir"))).toBe(false);
    expectSound(extract(await capture(git(), main)));
  });

  it("captures shallow and partial clones, whose missing objects are no damage", async () => {
    const origin = notes(30);
    run(origin, "config", "uploadpack.allowFilter", "true");
    const shallow = freshDir();
    run(shallow, "clone", "-q", "--depth", "3", `file://${origin}`, ".");
    const first = await capture(git(), shallow);
    expect(first.omitted).toEqual([]);
    expectSound(extract(first));
    const partial = freshDir();
    run(partial, "clone", "-q", "--no-checkout", "--filter=blob:none", `file://${origin}`, ".");
    const second = await capture(git(), partial);
    expect(second.omitted).toEqual([]);
    expect(bare(extract(second), "rev-list", "--count", "HEAD").text).toBe("30\n");
  });

  it("captures sha256 repositories", async () => {
    const dir = freshDir();
    run(dir, "init", "-q", "-b", "main", "--object-format=sha256");
    commitFile(dir, "a.md", "one\n", "first\n\nbody");
    run(dir, "repack", "-adq");
    commitFile(dir, "a.md", "two\n", "second");
    const captured = await capture(git(), dir);
    expectSound(extract(captured));
    expect(captured.facts.git).toMatchObject({ headOid: run(dir, "rev-parse", "HEAD"), headSubject: "second" });
  });

  it("names a format that it cannot read", async () => {
    const dir = notes(1);
    appendFileSync(join(dir, ".git/config"), "[extensions]\n\trefStorage = reftable\n");
    const captured = await capture(git(), dir);
    expect(captured.entries).toEqual([]);
    expect(captured.omitted).toMatchObject([{ path: "HEAD", reason: "unreadable", code: "E_UNSUPPORTED" }]);
    expect(captured.claims).toHaveLength(1);
  });

  it("captures a damaged repository and names what is missing", async () => {
    const dir = notes(1);
    commitFile(dir, "lost.md", "will be lost\n");
    commitFile(dir, "torn.md", "will be torn\n");
    const lost = run(dir, "rev-parse", "HEAD:lost.md");
    const torn = run(dir, "rev-parse", "HEAD:torn.md");
    const file = (oid: string): string => join(dir, ".git/objects", oid.slice(0, 2), oid.slice(2));
    unlinkSync(file(lost));
    unlinkSync(file(torn));
    writeFileSync(file(torn), "");
    const captured = await capture(git(), dir);
    expect(captured.omitted.map((o) => [o.path, o.reason, o.code]).sort()).toEqual(
      [lost, torn]
        .map((oid) => [`objects/${oid.slice(0, 2)}/${oid.slice(2)}`, "damaged", "E_REPOSITORY_DAMAGED"])
        .sort(),
    );
    expect(bare(extract(captured), "log", "--format=%s").text.split("\n")[0]).toBe("write torn.md");
    write(dir, "staged.md", "needed by the index alone\n");
    run(dir, "add", "staged.md");
    const staged = run(dir, "rev-parse", ":staged.md");
    unlinkSync(file(staged));
    const again = await capture(git(), dir);
    expect(again.omitted.map((o) => o.path)).toContain(`objects/${staged.slice(0, 2)}/${staged.slice(2)}`);
  });

  it("captures nested repositories, and submodules within their superproject", async () => {
    const sub = notes(4);
    const dir = notes(6);
    run(dir, "submodule", "--quiet", "add", sub, "lib/sub");
    run(dir, "commit", "-q", "-m", "a submodule");
    mkdirSync(join(dir, "team/notes"), { recursive: true });
    run(join(dir, "team/notes"), "init", "-q", "-b", "main");
    commitFile(join(dir, "team/notes"), "x.md", "x\n");
    mkdirSync(join(dir, "mirror.git"));
    run(join(dir, "mirror.git"), "clone", "-q", "--bare", sub, ".");
    const captured = await capture(git(), dir);
    expect(captured.claims.map((claim) => claim.path.slice(dir.length + 1)).sort()).toEqual([
      ".git",
      "mirror.git",
      "team/notes/.git",
    ]);
    const out = extract(captured);
    for (const inner of [".", "modules/lib/sub", "nested/team%2Fnotes", "nested/mirror.git"]) {
      rmSync(join(out, inner, "config"));
      expectSound(join(out, inner));
    }
    expect(bare(join(out, "modules/lib/sub"), "rev-list", "--count", "HEAD").text).toBe("4\n");
    expect((await capture(git({ nested: false }), dir)).claims).toHaveLength(1);
  });
});

describe("the fence", () => {
  it("moves with every commit, ref and staged edit, and stays while nothing of that happens", async () => {
    const dir = notes(2);
    const target = { agent: AGENT, paths: { memory: dir }, scratchDir: freshDir(), claimed: [] };
    await using session = await git().open(target);
    const seen = new Set([await session.fence?.()]);
    await session.pin();
    write(dir, "notes/1.md", "only in the working tree\n");
    expect([await session.fence?.()]).toEqual([...seen]);
    for (const change of [
      ["add", "-A"],
      ["commit", "-qm", "x"],
      ["tag", "t"],
      ["checkout", "-q", "-b", "side"],
    ]) {
      run(dir, ...change);
      seen.add(await session.fence?.());
    }
    expect(seen.size).toBe(5);
  });
});

describe("capturing while git runs", () => {
  const log = (dir: string): string[] => bare(dir, "log", "--format=%H").text.trim().split("\n");

  it("is consistent under commits, where copying file by file is not, and under gc, repack and pack-refs", async () => {
    const dir = notes(60);
    const commits =
      'echo $i >> notes/live.md; git add notes/live.md; git commit -q -m "live $i"; git tag -f t$((i % 5))';
    // Not --prune=now: beside a writer that loses objects of the live repository itself.
    const tidy =
      "git repack -adq; git pack-refs --all; git gc -q; git reflog expire --expire=now --all; git repack -Adq";
    const writer = await busy(dir, `${commits} >/dev/null 2>&1`);
    const cleaner = await busy(dir, `${tidy} >/dev/null 2>&1`);
    let naiveBroken = 0;
    const captures: string[] = [];
    try {
      for (let round = 0; round < 20; round++) {
        const copy = freshDir();
        try {
          // Not cpSync: on Node 24 it ended this process when something vanished under it.
          execFileSync("cp", ["-r", join(dir, ".git/."), copy], { stdio: "ignore" });
          const checked = bare(copy, "fsck", "--full");
          if (!checked.ok || /missing|broken|error/.test(checked.text)) naiveBroken++;
        } catch {
          naiveBroken++;
        }
        const captured = await capture(git(), dir);
        expect(captured.omitted.filter((o) => o.reason !== "excluded")).toEqual([]);
        captures.push(extract(captured));
      }
    } finally {
      await writer.stop();
      await cleaner.stop();
    }
    expectSound(join(dir, ".git"));
    expect(naiveBroken).toBeGreaterThan(0);
    const final = attempt(dir, "log", "--format=%H").text.trim().split("\n");
    for (const out of captures) {
      expectSound(out);
      const seen = log(out);
      // A real moment: the log is a tail of the final one, and the index is of this commit or the next.
      expect(final.slice(-seen.length)).toEqual(seen);
      expect(seen.length).toBeGreaterThan(60);
    }
  }, 300_000);
  it("finds the objects again that a repack takes away between listing and copying", async () => {
    const dir = notes(1);
    for (let number = 0; number < 30; number++) commitFile(dir, "a.md", `${String(number)}\n`);
    for (const packed of [false, true]) {
      const { signal } = new AbortController();
      let asked = 0;
      // Asked before every object and every pack is copied: the first time, what was listed goes into another pack.
      signal.throwIfAborted = () => {
        if (asked++ > 0) return;
        commitFile(dir, "b.md", `${String(packed)}\n`);
        run(dir, "repack", "-adq");
      };
      const head = run(dir, "rev-parse", "HEAD");
      const captured = await capture(git(), dir, signal);
      expect(asked).toBeGreaterThan(0);
      expect(captured.omitted).toEqual([]);
      const out = extract(captured);
      expectSound(out);
      expect(log(out)[0]).toBe(head);
    }
  });

  it("shows refs as they were together at one instant, where reading one after the other does not", async () => {
    const dir = notes(3000);
    const list = join(freshDir(), "commits");
    const commits = run(dir, "rev-list", "--reverse", "HEAD").split("\n");
    writeFileSync(list, commits.join("\n"));
    for (let number = 0; number < 60; number++) run(dir, "update-ref", `refs/heads/m${String(number)}`, "HEAD");
    const gitDir = join(dir, ".git");
    const place = { folder: "", layout: "directory", at: gitDir, gitDir, commonDir: gitDir } as const;
    const ahead = (read: (path: string) => string): number =>
      commits.indexOf(read("refs/heads/a").trim()) - commits.indexOf(read("refs/heads/z").trim());
    const mover = await program(new URL("moving-refs.program.mjs", import.meta.url).pathname, gitDir, list);
    let torn = 0;
    try {
      for (let round = 0; round < 400 && (torn === 0 || round < 50); round++) {
        const a = readFileSync(join(gitDir, "refs/heads/a"), "utf8");
        for (let number = 0; number < 60; number++) readFileSync(join(gitDir, `refs/heads/m${String(number)}`));
        const z = readFileSync(join(gitDir, "refs/heads/z"), "utf8");
        if (ahead((path) => (path.endsWith("a") ? a : z)) < 0) torn++;
        const into = freshDir();
        const { files } = await pinState(place, new StateCopies(into));
        const between = ahead((path) => readFileSync(files.get(path) ?? "", "utf8"));
        expect(between === 0 || between === 1, `z is ${String(-between)} ahead of a`).toBe(true);
        rmSync(into, { recursive: true });
      }
    } finally {
      await mover.stop();
    }
    expect(torn).toBeGreaterThan(0);
  }, 300_000);
});
