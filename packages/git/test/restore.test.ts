import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type ArtifactReader, type BundleEntry, sha256Hex } from "@keepsake/core";
import { applySwap, revertSwap, setTimeSync, stagingPlaceFor } from "@keepsake/files";
import { describe, expect, it } from "vitest";
import { git } from "../src/git.js";
import { attempt, capture, commitFile, freshDir, notes, restore, run, stage, write } from "./harness.js";

/** Everything git says of a repository, but for the tags that restores leave. */
function story(dir: string): string {
  const refs = attempt(dir, "for-each-ref")
    .text.split("\n")
    .filter((line) => !line.includes("pre-restore-"));
  const rest = [
    ["log", "--format=%H %an %s", "--all"],
    ["reflog"],
    ["stash", "list"],
    ["symbolic-ref", "HEAD"],
    ["ls-files", "-s"],
  ];
  return [...refs, ...rest.map((args) => attempt(dir, ...args).text)].join("\n");
}

function expectSound(dir: string): void {
  const checked = attempt(dir, "fsck", "--full", "--strict");
  expect(checked.text).not.toMatch(/error|missing|broken|corrupt/);
  expect(checked.ok).toBe(true);
}

/** A bundle with a file added or changed by hand. */
function withFile(reader: ArtifactReader, path: string, text: string, mode = 0o644): ArtifactReader {
  const file = join(freshDir(), "file");
  writeFileSync(file, text);
  const meta = {
    ...{ pathInBundle: `git/${path}`, kind: "git_bundle", source: "git", type: "file" as const, mode, mtimeMs: 1 },
    ...{ sizeBytes: text.length, sha256: sha256Hex(text) },
  };
  const same = reader.entries.find((entry) => entry.path === path);
  const facts = same?.meta.facts === undefined ? {} : { facts: same.meta.facts };
  const entries = reader.entries.filter((entry) => entry !== same);
  return { omitted: reader.omitted, entries: [...entries, { meta: { ...meta, ...facts }, path, file }] };
}

async function restoredInto(captured: ArtifactReader): Promise<string> {
  const dir = freshDir();
  await restore(git(), captured, dir);
  return dir;
}

describe("restoring a repository", () => {
  it("brings back refs, log, reflog, stash and HEAD, and a status that is sane, into nothing", async () => {
    const dir = notes(50);
    run(dir, "tag", "-a", "-m", "annotated", "heavy");
    write(dir, "notes/2.md", "stash me\n");
    run(dir, "stash");
    run(dir, "gc", "-q");
    commitFile(dir, "loose.md", "loose\n");
    write(dir, "notes/3.md", "edited, not staged\n");
    write(dir, "staged.md", "staged, not committed\n");
    run(dir, "add", "staged.md");
    const before = [story(dir), run(dir, "status", "--porcelain")];
    const captured = await capture(git(), dir);
    rmSync(join(dir, ".git"), { recursive: true });
    const plan = await restore(git(), captured, dir);
    expect([story(dir), run(dir, "status", "--porcelain")]).toEqual(before);
    expect(run(dir, "show", ":staged.md")).toBe("staged, not committed");
    expectSound(dir);
    expect(plan.changes).toMatchObject([{ action: "create", path: ".git" }]);
    expect(plan.notices).toEqual([]);
    expect(run(dir, "tag", "-l", "pre-restore-*")).toBe("");
  });

  it("keeps what was HEAD, and branches that would be lost, under tags", async () => {
    const dir = notes(10);
    const captured = await capture(git(), dir);
    const before = story(dir);
    run(dir, "checkout", "-q", "-b", "side");
    commitFile(dir, "side.md", "side\n");
    run(dir, "checkout", "-q", "main");
    commitFile(dir, "later.md", "later\n");
    const [main, side] = [run(dir, "rev-parse", "main"), run(dir, "rev-parse", "side")];
    const plan = await restore(git(), captured, dir, "op7");
    expect(
      story(dir)
        .split("\n")
        .filter((line) => !/later|side/.test(line)),
    ).toEqual(before.split("\n"));
    expect(run(dir, "rev-parse", "pre-restore-op7")).toBe(main);
    expect(run(dir, "rev-parse", "pre-restore-op7.heads/side")).toBe(side);
    expect(run(dir, "show", "pre-restore-op7:later.md")).toBe("later");
    expect(run(dir, "branch", "--list", "side")).toBe("");
    expectSound(dir);
    expect(plan.changes).toEqual([
      {
        action: "replace",
        path: ".git",
        detail: `HEAD ${main.slice(0, 7)} → ${run(dir, "rev-parse", "HEAD").slice(0, 7)}`,
      },
    ]);
  });

  it("changes nothing when the repository already is so, a second time too", async () => {
    const dir = notes(10);
    const captured = await capture(git(), dir);
    expect((await stage(git(), captured, dir, "op0")).changes).toEqual([]);
    commitFile(dir, "later.md", "later\n");
    await restore(git(), captured, dir, "op1");
    expect((await stage(git(), captured, dir, "op2")).changes).toEqual([]);
    // Pruned objects are a difference, although the refs are the same.
    rmSync(join(dir, ".git/objects"), { recursive: true });
    mkdirSync(join(dir, ".git/objects"));
    expect((await stage(git(), captured, dir, "op3")).changes).toHaveLength(1);
  });

  it("stages no object for a repository that is the same, and shares those that one which differs has just so", async () => {
    const dir = notes(1);
    commitFile(dir, "a.md", "a\n");
    commitFile(dir, "b.md", "b\n");
    const objects = run(dir, "rev-list", "--objects", "--no-object-names", "HEAD").split("\n");
    const fileOf = (oid: string, at = join(dir, ".git")): string => join(at, "objects", oid.slice(0, 2), oid.slice(2));
    const loose = objects.filter((oid) => existsSync(fileOf(oid)));
    expect(loose.length).toBeGreaterThan(4);
    const captured = await capture(git(), dir);
    const staged = async (operation: string): Promise<string> => {
      await stage(git(), captured, dir, operation);
      return join(await stagingPlaceFor(dir, operation), "git-git/new-0");
    };
    const same = await staged("op1");
    expect(loose.filter((oid) => existsSync(fileOf(oid, same)))).toEqual([]);

    commitFile(dir, "c.md", "c\n");
    const [first = "", second = "", third = ""] = loose;
    const other = { mode: 0o600, mtimeMs: 5 };
    const timeOf = (oid: string): number =>
      captured.entries.find(({ path }) => path.endsWith(`${oid.slice(0, 2)}/${oid.slice(2)}`))?.meta.mtimeMs ?? 0;
    for (const oid of [first, second, third]) chmodSync(fileOf(oid), 0o644);
    writeFileSync(fileOf(first), Buffer.alloc(statSync(fileOf(first)).size, "x"));
    setTimeSync(fileOf(first), timeOf(first));
    chmodSync(fileOf(first), 0o444);
    setTimeSync(fileOf(second), other.mtimeMs);
    chmodSync(fileOf(second), 0o444);
    chmodSync(fileOf(third), other.mode);
    const differing = await staged("op2");
    const shared = loose.filter((oid) => statSync(fileOf(oid)).ino === statSync(fileOf(oid, differing)).ino);
    expect(shared).toEqual(loose.filter((oid) => ![first, second, third].includes(oid)));
    expectSound(await restoredInto(captured));
    await restore(git(), captured, dir, "op3");
    expect(run(dir, "log", "--format=%s", "-1")).toBe("write b.md");
    for (const oid of loose) expect(statSync(fileOf(oid)).mode & 0o777, oid).toBe(0o444);
    for (const operation of ["op1", "op2"]) rmSync(await stagingPlaceFor(dir, operation), { recursive: true });
  });

  it("removes a repository that was made after the snapshot, and puts nested and bare ones back", async () => {
    const dir = notes(3);
    mkdirSync(join(dir, "team/notes"), { recursive: true });
    run(join(dir, "team/notes"), "init", "-q", "-b", "main");
    commitFile(join(dir, "team/notes"), "x.md", "x\n");
    mkdirSync(join(dir, "mirror.git"));
    run(join(dir, "mirror.git"), "clone", "-q", "--bare", dir, ".");
    const captured = await capture(git(), dir);
    const before = [story(dir), story(join(dir, "team/notes")), story(join(dir, "mirror.git"))];
    rmSync(join(dir, "team"), { recursive: true });
    rmSync(join(dir, "mirror.git"), { recursive: true });
    mkdirSync(join(dir, "new"));
    run(join(dir, "new"), "init", "-q");
    const plan = await restore(git(), captured, dir);
    expect(plan.changes.map(({ action, path }) => [action, path]).sort()).toEqual([
      ["create", "mirror.git"],
      ["create", "team/notes/.git"],
      ["delete", "new/.git"],
    ]);
    expect(existsSync(join(dir, "new/.git"))).toBe(false);
    expect([story(dir), story(join(dir, "team/notes")), story(join(dir, "mirror.git"))]).toEqual(before);
    expectSound(join(dir, "mirror.git"));
  });

  it.runIf(process.getuid?.() === 0)("gives what root restores to the owner of the folder it comes into", async () => {
    const dir = notes(2);
    mkdirSync(join(dir, "sub"));
    run(join(dir, "sub"), "init", "-q", "-b", "main");
    commitFile(join(dir, "sub"), "x.md", "x\n");
    const captured = await capture(git(), dir);
    const target = freshDir();
    chownSync(target, 4321, 4322);
    await restore(git(), captured, target);
    for (const path of ["sub", "sub/.git", ".git", ".git/HEAD", ".git/objects"]) {
      const { uid, gid } = statSync(join(target, path));
      expect([uid, gid], path).toEqual([4321, 4322]);
    }
  });

  it("restores a bare repository that is the memory itself, around the files beside it", async () => {
    const naked = freshDir();
    run(naked, "clone", "-q", "--bare", notes(5), ".");
    writeFileSync(join(naked, "memory.db"), "not git's");
    const captured = await capture(git(), naked);
    const before = story(naked);
    run(naked, "update-ref", "refs/heads/more", "HEAD");
    run(naked, "update-ref", "-d", "refs/heads/main");
    await restore(git(), captured, naked);
    expect(story(naked)).toBe(before);
    expect(readFileSync(join(naked, "memory.db"), "utf8")).toBe("not git's");
  });

  it("brings a linked worktree back as a repository of its own, and says so", async () => {
    const main = notes(5);
    const dir = join(freshDir(), "tree");
    run(main, "worktree", "add", "-q", "-b", "side", dir);
    commitFile(dir, "side.md", "side\n");
    const captured = await capture(git(), dir);
    expect((await stage(git(), captured, dir, "same")).changes).toEqual([]);
    const head = run(dir, "rev-parse", "HEAD");
    commitFile(dir, "later.md", "later\n");
    const plan = await restore(git(), captured, dir);
    expect(statSync(join(dir, ".git")).isDirectory()).toBe(true);
    expect(run(dir, "rev-parse", "HEAD")).toBe(head);
    expectSound(dir);
    expect(plan.notices.join()).toContain("linked worktree");
    expectSound(main);
  });

  it("restores submodules with their superproject, sha256, shallow and case twins", async () => {
    const sub = notes(4);
    const dir = notes(6);
    run(dir, "submodule", "--quiet", "add", sub, "lib/sub");
    run(dir, "commit", "-q", "-m", "a submodule");
    const captured = await capture(git(), dir);
    const before = story(join(dir, "lib/sub"));
    rmSync(join(dir, ".git"), { recursive: true });
    await restore(git(), captured, dir);
    expect(story(join(dir, "lib/sub"))).toBe(before);
    expect(run(dir, "status", "--porcelain")).toBe("");

    const shallow = freshDir();
    run(shallow, "clone", "-q", "--depth", "2", `file://${dir}`, ".");
    run(shallow, "branch", "topic");
    run(shallow, "branch", "Topic");
    const second = await capture(git(), shallow);
    const told = story(shallow);
    commitFile(shallow, "later.md", "later\n");
    await restore(git(), second, shallow);
    expect(
      story(shallow)
        .split("\n")
        .filter((line) => !line.includes("later")),
    ).toEqual(told.split("\n"));
    expectSound(shallow);

    const modern = freshDir();
    run(modern, "init", "-q", "-b", "main", "--object-format=sha256");
    commitFile(modern, "a.md", "a\n");
    const third = await capture(git(), modern);
    const saga = story(modern);
    rmSync(join(modern, ".git"), { recursive: true });
    await restore(git(), third, modern);
    expect(story(modern)).toBe(saga);
  });

  it("restores a damaged repository as damaged as it was, and refuses a bundle that hides its damage", async () => {
    const dir = notes(1);
    commitFile(dir, "lost.md", "will be lost\n");
    const lost = run(dir, "rev-parse", "HEAD:lost.md");
    rmSync(join(dir, ".git/objects", lost.slice(0, 2), lost.slice(2)));
    const captured = await capture(git(), dir);
    const elsewhere = freshDir();
    const plan = await restore(git(), captured, elsewhere);
    expect(plan.notices.join()).toContain("1 objects are missing");
    expect(run(elsewhere, "log", "--format=%s", "-1")).toBe("write lost.md");
    await expect(stage(git(), { ...captured, omitted: [] }, freshDir())).rejects.toMatchObject({
      code: "E_REPOSITORY_DAMAGED",
    });
  });
});

describe("a restore that is interrupted", () => {
  it("can be committed and taken back again and again, from any step", async () => {
    const dir = notes(5);
    const captured = await capture(git(), dir);
    commitFile(dir, "later.md", "later\n");
    const live = story(dir);
    const old = run(dir, "rev-parse", "HEAD");
    const plan = await stage(git(), captured, dir);
    const [{ live: gitDir, staged, undo }] = plan.data["steps"] as [{ live: string; staged: string; undo: string }];
    // Killed between the two renames: the live one is set aside, the new one not yet in place.
    renameSync(gitDir, undo);
    await revertSwap(plan.data as never);
    expect(story(dir)).toBe(live);
    expect(existsSync(staged)).toBe(true);
    renameSync(gitDir, undo);
    await applySwap(plan.data as never);
    await applySwap(plan.data as never);
    expect(run(dir, "rev-parse", "HEAD")).not.toBe(old);
    expectSound(dir);
    await revertSwap(plan.data as never);
    await revertSwap(plan.data as never);
    expect(story(dir)).toBe(live);
  });
});

describe("a hostile or foreign bundle", () => {
  const EVIL = [
    "[core]",
    "\trepositoryformatversion = 0",
    "\tfsmonitor = touch PWNED",
    "\tsshCommand = touch PWNED",
    "\thooksPath = /tmp/evil",
    "\tworktree = /etc",
    '[alias]\n\tst = "!touch PWNED"',
    '[filter "x"]\n\tclean = touch PWNED\n\tsmudge = touch PWNED\n\tprocess = touch PWNED',
    '[diff "x"]\n\ttextconv = touch PWNED',
    "[include]\n\tpath = ../../evil.config",
    '[includeIf "gitdir:/"]\n\tpath = evil',
    "[credential]\n\thelper = !touch PWNED",
    '[remote "origin"]\n\turl = ext::sh -c touch% PWNED\n\tuploadpack = touch PWNED\n\tfetch = +refs/heads/*:refs/remotes/origin/*',
    '[submodule "x"]\n\tupdate = !touch PWNED',
    "[gc]\n\trecentObjectsHook = touch PWNED",
    '[user]\n\tname = "Ana \\"A\\" \\\n#not a comment"',
    "",
  ].join("\n");

  it("comes back with no setting and no hook that runs a program, and says which", async () => {
    const dir = notes(3);
    write(dir, ".gitattributes", "* filter=x diff=x\n");
    write(dir, "notes/1.md", "edited\n");
    const clean = await capture(git(), dir);
    // First that it could break: git runs what such a configuration says.
    const victim = notes(3);
    writeFileSync(join(victim, ".git/config"), EVIL.replace("\tworktree = /etc\n", ""));
    attempt(victim, "status");
    expect(existsSync(join(victim, "PWNED"))).toBe(true);

    let bundle = withFile(clean, "config", EVIL);
    bundle = withFile(bundle, "hooks/post-checkout", "#!/bin/sh\ntouch PWNED\n", 0o755);
    bundle = withFile(bundle, "hooks/pre-commit.sample", "#!/bin/sh\n", 0o755);
    bundle = withFile(bundle, "objects/info/alternates", "/etc\n");
    bundle = withFile(bundle, "commondir", "/etc\n");
    bundle = withFile(bundle, "refs/heads/config", "[core]\n\tfsmonitor = touch PWNED\n");
    bundle = withFile(bundle, "rebase-merge/git-rebase-todo", "pick 123\nexec touch PWNED\n x touch PWNED\n");
    bundle = withFile(bundle, "odd/place/HEAD", "ref: refs/heads/main\n");
    bundle = withFile(bundle, "odd/place/config", EVIL);
    bundle = withFile(bundle, "odd/place/hooks/post-checkout", "#!/bin/sh\n", 0o755);
    const target = freshDir();
    write(target, ".gitattributes", "* filter=x diff=x\n");
    const plan = await restore(git(), bundle, target);
    expect(run(target, "config", "--list", "--name-only", "--local").split("\n").sort()).toEqual([
      "core.repositoryformatversion",
      "remote.origin.fetch",
      "user.name",
    ]);
    expect(run(target, "config", "user.name")).toBe('Ana "A" #not a comment');
    for (const args of [
      ["status"],
      ["st"],
      ["checkout", "-f", "main"],
      ["diff", "HEAD~1"],
      ["gc"],
      ["fetch", "origin"],
    ]) {
      attempt(target, ...args);
    }
    expect(existsSync(join(target, "PWNED"))).toBe(false);
    const hooks = readdirSync(join(target, ".git/hooks"));
    expect(hooks).toContain("post-checkout.disabled");
    for (const name of hooks) {
      const { mode } = statSync(join(target, ".git/hooks", name));
      expect(mode & 0o111, name).toBe(0);
    }
    expect(readFileSync(join(target, ".git/odd/place/config"), "utf8")).not.toMatch(/^\s*fsmonitor/m);
    expect(readFileSync(join(target, ".git/rebase-merge/git-rebase-todo"), "utf8")).toBe(
      "pick 123\n# exec touch PWNED\n#  x touch PWNED\n",
    );
    for (const gone of ["commondir", "objects/info/alternates", "refs/heads/config"]) {
      expect(existsSync(join(target, ".git", gone)), gone).toBe(false);
    }
    const notices = plan.notices.join("\n");
    for (const word of ["core.fsmonitor", "alias.st", "include.path", "post-checkout", "alternates", "commondir"]) {
      expect(notices).toContain(word);
    }
  });

  it("gives back as they were the hooks and settings that the live repository has, too", async () => {
    const dir = notes(3);
    const hook = join(dir, ".git/hooks/post-merge");
    mkdirSync(join(dir, ".git/hooks"), { recursive: true });
    writeFileSync(hook, "#!/bin/sh\nexit 0\n");
    chmodSync(hook, 0o755);
    run(dir, "config", "alias.hi", "!echo hi");
    const captured = await capture(git(), dir);
    run(dir, "config", "user.name", "Somebody");
    const plan = await restore(git(), captured, dir);
    expect(plan.notices).toEqual([]);
    expect(statSync(hook).mode & 0o777).toBe(0o755);
    expect(run(dir, "hi")).toBe("hi");
    run(dir, "config", "alias.hi", "!echo other");
    chmodSync(hook, 0o644);
    const second = await restore(git(), captured, dir, "op2");
    expect(second.notices.join()).toMatch(/post-merge.*alias\.hi/s);
    expect(attempt(dir, "hi").ok).toBe(false);
  });

  it("is refused where it would put a repository into a git directory, through a link, or without HEAD", async () => {
    const nested = notes(2);
    mkdirSync(join(nested, "sub"));
    run(join(nested, "sub"), "init", "-q", "-b", "main");
    commitFile(join(nested, "sub"), "x.md", "x\n");
    const captured = await capture(git(), nested);
    const moved = (to: string): ArtifactReader => ({
      omitted: [],
      entries: captured.entries.map((entry): BundleEntry => {
        const path = entry.path.replace(/^nested\/sub\//, `nested/${to}/`);
        return { ...entry, path, meta: { ...entry.meta, pathInBundle: `git/${path}` } };
      }),
    });
    for (const folder of [".git%2Fhooks", ".GIT", "a%2F..%2Fb", "git~1", "a%2F.keepsake-x", "%2Fetc", "..", "x%41"]) {
      await expect(stage(git(), moved(folder), freshDir()), folder).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
    }
    const target = freshDir();
    symlinkSync(freshDir(), join(target, "sub"));
    await expect(stage(git(), captured, target)).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
    const headless = { omitted: [], entries: captured.entries.filter(({ path }) => path !== "HEAD") };
    await expect(stage(git(), headless, freshDir())).rejects.toMatchObject({ code: "E_REPOSITORY_DAMAGED" });
    await expect(stage(git(), withFile(captured, "HEAD", "nonsense"), freshDir())).rejects.toMatchObject({
      code: "E_REPOSITORY_DAMAGED",
    });
  });

  it("may be made by hand of HEAD, objects and refs alone", async () => {
    const captured = await capture(git(), notes(4));
    const entries = captured.entries.filter(({ path }) => /^(?:HEAD$|objects\/|refs\/|packed-refs$)/.test(path));
    const plain = entries.map(({ meta: { facts: _facts, ...meta }, ...entry }) => ({ ...entry, meta }));
    const target = freshDir();
    await restore(git(), { omitted: [], entries: plain }, target);
    expect(run(target, "rev-list", "--count", "HEAD")).toBe("4");
    expectSound(target);
  });
});
