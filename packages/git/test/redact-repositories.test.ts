import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { git } from "../src/index.js";
import { attempt, capture, commitFile, extract, freshDir, notes, restore, run, write } from "./harness.js";
import { captureRedacted, everythingIn, redact, secret, workingCopy } from "./redaction-harness.js";

function expectSound(dir: string): void {
  expect(attempt(dir, "fsck", "--full", "--strict", "--no-dangling")).toEqual({ ok: true, text: "" });
}

describe("what a redaction leaves as it is", () => {
  it("touches nothing where there is nothing to find and nothing unreachable", async () => {
    const dir = notes(20);
    run(dir, "gc", "-q");
    rmSync(join(dir, ".git/info/refs"));
    run(dir, "update-index", "--force-write-index");
    const captured = await capture(git(), dir);
    const { outcome } = await redact(captured);
    expect(outcome.removed).toEqual([]);
    expect(outcome.added).toEqual([]);
    // Its caches hold ids and names; git makes them again.
    expect(outcome.artifactsTouched).toEqual(["git/index"]);
    expect(outcome.source?.git).toEqual(captured.facts.git);
  });

  it("keeps the ids of trees and commits that hold nothing, and changes those of all that follow", async () => {
    const dir = freshDir();
    run(dir, "init", "-q", "-b", "main");
    commitFile(dir, "clean/a.md", "a\n");
    commitFile(dir, "clean/b.md", "b\n");
    commitFile(dir, "notes.md", `key ${secret()}\n`);
    commitFile(dir, "notes.md", "no more\n");
    const out = extract(await captureRedacted(dir));
    const idOf = (at: string, name: string): string => run(at, "rev-parse", name);
    for (const same of ["main:clean", "main~2", "main~1:clean", "main^{tree}"])
      expect(idOf(out, same)).toBe(idOf(dir, same));
    for (const other of ["main", "main~1", "main~1^{tree}"]) expect(idOf(out, other)).not.toBe(idOf(dir, other));
    expect(run(out, "rev-parse", "main~2")).toBe(run(out, "rev-parse", "main~1^"));
    expect(run(out, "log", "--format=%an %ae %ad %cd %s")).toBe(run(dir, "log", "--format=%an %ae %ad %cd %s"));
  });

  it("takes the signature from a commit and a tag that changed, leaves those that did not, and says how many", async () => {
    const dir = notes(2);
    const signed = (object: string): string => {
      const [head = "", ...rest] = object.split("\n\n");
      return `${head}\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n\n${rest.join("\n\n")}\n`;
    };
    const hash = (type: string, text: string): string =>
      execFileSync("git", ["hash-object", "-w", "-t", type, "--stdin"], {
        cwd: dir,
        input: text,
        encoding: "utf8",
      }).trim();
    const clean = hash("commit", signed(run(dir, "cat-file", "commit", "HEAD")));
    run(dir, "reset", "-q", "--hard", clean);
    commitFile(dir, "key.md", `${secret()}\n`);
    const dirty = hash("commit", signed(run(dir, "cat-file", "commit", "HEAD")));
    run(dir, "reset", "-q", "--hard", dirty);
    const tag = `object ${dirty}\ntype commit\ntag v1\ntagger Ana <a@b.c> 1 +0000\n\nfirst\n-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n`;
    run(dir, "update-ref", "refs/tags/v1", hash("tag", tag));
    const redacted = await captureRedacted(dir);
    const out = extract(redacted);
    expect(run(out, "cat-file", "commit", "HEAD~1")).toContain("gpgsig");
    expect(run(out, "rev-parse", "HEAD~1")).toBe(clean);
    expect(run(out, "cat-file", "commit", "HEAD")).not.toContain("gpgsig");
    expect(run(out, "cat-file", "tag", "v1")).toMatch(/tag v1\n[^]*\n\nfirst$/);
    expect(redacted.outcome.source?.facts).toMatchObject({ repositories: [{ signaturesRemoved: 2 }] });
    expectSound(out);
  });
});

describe("repositories of every kind", () => {
  it("redacts what an alternate lends, and a shallow clone", async () => {
    const lender = notes(3);
    const key = secret();
    commitFile(lender, "lent.md", `lent ${key}\n`);
    commitFile(lender, "lent.md", "no more\n");
    const borrower = freshDir();
    run(borrower, "clone", "-q", "--shared", lender, ".");
    const shallow = freshDir();
    run(shallow, "clone", "-q", "--depth=2", `file://${lender}`, ".");
    for (const dir of [borrower, shallow]) {
      expect(everythingIn(join(dir, ".git")).includes(key)).toBe(true);
      const redacted = await captureRedacted(dir);
      const out = extract(redacted);
      expect(everythingIn(out).includes(key)).toBe(false);
      expectSound(out);
      expect(run(workingCopy(dir, redacted), "status", "--porcelain")).toBe("");
    }
  });

  it("redacts HEAD, index and reflog of linked worktrees with the repository, and one captured by itself", async () => {
    const dir = notes(3);
    const [ofHead, ofIndex, ofLog] = [secret(), secret(), secret()];
    const linked = join(freshDir(), "linked");
    run(dir, "worktree", "add", "-q", "--detach", linked);
    commitFile(linked, "log.md", "log\n", `say ${ofLog}`);
    run(linked, "reset", "-q", "--hard", "HEAD~1");
    commitFile(linked, "head.md", `${ofHead}\n`);
    write(linked, "index.md", `${ofIndex}\n`);
    run(linked, "add", "index.md");
    for (const [at, prefix] of [
      [dir, "worktrees/linked/"],
      [linked, ""],
    ] as const) {
      const out = extract(await captureRedacted(at));
      const left = everythingIn(out);
      for (const key of [ofHead, ofIndex, ofLog]) expect(left.includes(key)).toBe(false);
      const head = readFileSync(join(out, `${prefix}HEAD`), "utf8").trim();
      expect(run(out, "show", `${head}:head.md`)).toBe("[REDACTED:acme_key]");
      expect(
        readFileSync(join(out, `${prefix}logs/HEAD`), "utf8")
          .split("\n")
          .at(-2),
      ).toContain(` ${head} Ana`);
      const index = {
        env: { ...process.env, GIT_INDEX_FILE: join(out, `${prefix}index`) },
        cwd: out,
        encoding: "utf8",
      } as const;
      expect(execFileSync("git", ["show", ":index.md"], index)).toBe("[REDACTED:acme_key]\n");
    }
  });

  it("follows a submodule's commits in the superproject, and redacts a nested repository", async () => {
    const origin = notes(1);
    const [inSub, inNested] = [secret(), secret()];
    commitFile(origin, "sub.md", `${inSub}\n`);
    const dir = notes(2);
    run(dir, "submodule", "add", "-q", origin, "sub");
    run(dir, "commit", "-q", "-m", "add a submodule");
    const nested = join(dir, "nested");
    mkdirSync(nested);
    run(nested, "init", "-q", "-b", "main");
    commitFile(nested, "n.md", `${inNested}\n`);
    const redacted = await captureRedacted(dir);
    const out = extract(redacted);
    const module = readFileSync(join(out, "modules/sub/refs/heads/main"), "utf8").trim();
    expect(module).not.toBe(run(join(dir, "sub"), "rev-parse", "HEAD"));
    expect(run(out, "rev-parse", "main:sub")).toBe(module);
    expect(run(out, "ls-files", "-s", "sub")).toContain(module);
    for (const at of ["modules/sub", "nested/nested"]) {
      expect(everythingIn(join(out, at))).not.toMatch(/acme_0/);
      expect(attempt(out, `--git-dir=${at}`, `--work-tree=${out}`, "fsck", "--full").ok).toBe(true);
    }
    expect(JSON.stringify(redacted.outcome.source?.facts)).toContain('"folder":"nested"');
  });

  it.each(["--object-format=sha256", "--bare"])("redacts a repository made with %s", async (how) => {
    const key = secret();
    const first = notes(3, ...(how === "--bare" ? [] : [how]));
    commitFile(first, "a.md", `${key}\n`);
    run(first, "notes", "add", "-m", "a note");
    const dir = how === "--bare" ? freshDir() : first;
    if (how === "--bare") run(dir, "clone", "-q", "--mirror", first, ".");
    const redacted = await captureRedacted(dir);
    const out = extract(redacted);
    expect(everythingIn(out).includes(key)).toBe(false);
    expect(attempt(out, `--git-dir=${out}`, "fsck", "--full", "--strict").ok).toBe(true);
    expect(attempt(out, `--git-dir=${out}`, "log", "-1", "--notes", "--format=%N").text.trim()).toBe("a note");
    expect(redacted.outcome.source?.git?.headOid).toBe(run(out, `--git-dir=${out}`, "rev-parse", "HEAD"));
  });

  it("finds the notes of commits and replaced objects again, also where their tree has folders", async () => {
    const dir = freshDir();
    run(dir, "init", "-q", "-b", "main");
    // The first commit changes, and so do all.
    const commits = Array.from(
      { length: 40 },
      (_, number) =>
        `commit refs/heads/main\ncommitter Ana <a@b.c> ${String(1_700_000_000 + number)} +0000\n` +
        `data <<END\n${number === 0 ? secret() : "next"}\nEND\nM 100644 inline a.md\ndata <<END\n${String(number)}\nEND\n`,
    );
    execFileSync("git", ["fast-import", "--quiet"], { cwd: dir, input: commits.join("\n") });
    const oids = run(dir, "rev-list", "main").split("\n");
    for (const [number, oid] of oids.entries()) {
      const blob = execFileSync("git", ["hash-object", "-w", "--stdin"], {
        cwd: dir,
        input: `note ${String(number)}\n`,
      });
      // Half of them in folders, as git makes them of many notes.
      const name = number % 2 === 0 ? oid : `${oid.slice(0, 2)}/${oid.slice(2)}`;
      run(dir, "update-index", "--add", "--cacheinfo", `100644,${blob.toString().trim()},${name}`);
    }
    const tree = run(dir, "write-tree");
    run(dir, "update-ref", "refs/notes/commits", run(dir, "commit-tree", "-m", "notes", tree));
    run(dir, "reset", "-q", "--hard");
    const [first = "", second = ""] = oids;
    run(dir, "replace", first, second);
    const out = extract(await captureRedacted(dir));
    expectSound(out);
    expect(everythingIn(out)).not.toMatch(/acme_0/);
    const shown = run(out, "--no-replace-objects", "log", "--notes", "--format=%N", "main").split("\n");
    expect(shown.filter((line) => line !== "")).toEqual(oids.map((_, number) => `note ${String(number)}`));
    const [now = "", before = ""] = run(out, "--no-replace-objects", "rev-list", "main").split("\n");
    expect(now).not.toBe(first);
    expect(run(out, "for-each-ref", "--format=%(refname) %(objectname)", "refs/replace")).toBe(
      `refs/replace/${now} ${before}`,
    );
  });

  it.each(["2", "4", "split"])(
    "keeps what is staged, modified and untracked apart, with an index of version %s",
    async (version) => {
      const dir = notes(4);
      const key = secret();
      commitFile(dir, "tracked.md", `${key}\n`);
      commitFile(dir, "clean.md", `clean ${key}\n`);
      if (version === "split") run(dir, "update-index", "--split-index");
      else run(dir, "update-index", "--index-version", version);
      write(dir, "staged.md", `${key}\n`);
      run(dir, "add", "staged.md");
      write(dir, "intent.md", `${key}\n`);
      run(dir, "add", "-N", "intent.md");
      write(dir, "tracked.md", `${key}\nmodified\n`);
      write(dir, "untracked.md", `${key}\n`);
      rmSync(join(dir, "notes/1.md"));
      const before = run(dir, "status", "--porcelain=v2").replaceAll(/ [0-9a-f]{40}/g, "");
      const redacted = await captureRedacted(dir);
      const copy = workingCopy(dir, redacted);
      expect(run(copy, "status", "--porcelain=v2").replaceAll(/ [0-9a-f]{40}/g, "")).toBe(before);
      expect(everythingIn(join(copy, ".git")).includes(key)).toBe(false);
      expectSound(copy);
      expect(run(copy, "show", ":staged.md")).toBe("[REDACTED:acme_key]");
    },
  );

  it("leaves a split index out whose names change, and says so", async () => {
    const dir = notes(2);
    commitFile(dir, `${secret()}.md`, "named\n");
    run(dir, "update-index", "--split-index");
    const { outcome } = await captureRedacted(dir);
    expect(outcome.unscanned.map(({ reason }) => reason)).toContain("index_left_out");
    expect(outcome.removed).toContain("git/index");
  });

  it("lists what is no text by its path, once, however many commits hold another version of it", async () => {
    const dir = notes(2);
    for (let version = 0; version < 3; version++) {
      writeFileSync(join(dir, "image.png"), Buffer.from([0x89, 0x50, 0, version]));
      run(dir, "add", "image.png");
      run(dir, "commit", "-q", "-m", `image ${String(version)}`);
    }
    const { outcome } = await captureRedacted(dir);
    expect(outcome.unscanned).toEqual([{ path: "git/objects#image.png", reason: "binary" }]);
  });

  it("gives commits in another code back as they were, but for the secret", async () => {
    const dir = notes(1);
    const key = secret();
    const message = Buffer.from(`tr\xe8s s\xfbr ${key}\n`, "latin1");
    write(dir, "latin.md", "x\n");
    run(dir, "add", "latin.md");
    execFileSync("git", ["-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "-F", "-"], {
      cwd: dir,
      input: message,
      env: {
        ...process.env,
        GIT_AUTHOR_NAME: "A",
        GIT_AUTHOR_EMAIL: "a@b",
        GIT_COMMITTER_NAME: "A",
        GIT_COMMITTER_EMAIL: "a@b",
      },
    });
    const out = extract(await captureRedacted(dir));
    expect(run(out, "log", "-1", "--format=%s")).toBe("très sûr [REDACTED:acme_key]");
  });
});

describe("what the files of objects disclose", () => {
  it("is every object, loose or packed with deltas, as git shows it", async () => {
    const dir = notes(20);
    commitFile(dir, "loose.md", "a loose one\n");
    const source = git();
    for (const packed of [false, true]) {
      if (packed) run(dir, "gc", "-q");
      let text = "";
      for (const { meta, file } of (await capture(source, dir)).entries) {
        if (file === undefined || source.disclose === undefined) continue;
        for await (const chunk of source.disclose({ pathInBundle: meta.pathInBundle, file }))
          text += Buffer.from(chunk).toString("latin1");
      }
      for (const line of run(dir, "rev-list", "--objects", "--all").split("\n")) {
        const [oid = ""] = line.split(" ");
        const object = execFileSync("git", ["cat-file", run(dir, "cat-file", "-t", oid), oid], { cwd: dir });
        expect(text.includes(object.toString("latin1"))).toBe(true);
      }
    }
  });
});

describe("the whole way", () => {
  it("restores a redacted repository, which goes on to work", async () => {
    const dir = notes(5);
    const key = secret();
    commitFile(dir, "key.md", `${key}\n`);
    const redacted = await captureRedacted(dir);
    const memory = freshDir();
    await restore(git(), redacted, memory);
    run(memory, "reset", "-q", "--hard");
    expect(readFileSync(join(memory, "key.md"), "utf8")).toBe("[REDACTED:acme_key]\n");
    commitFile(memory, "more.md", "more\n");
    run(memory, "gc", "-q", "--prune=now");
    expectSound(memory);
    expect(everythingIn(join(memory, ".git")).includes(key)).toBe(false);
  });

  it("leaves the history out, or as it is, when told so", async () => {
    const dir = notes(2);
    const key = secret();
    commitFile(dir, "key.md", `${key}\n`);
    const omitted = await captureRedacted(dir, { history: "omit" });
    expect(omitted.entries.filter(({ file }) => file !== undefined)).toEqual([]);
    expect(omitted.outcome).toMatchObject({
      history: "omitted",
      omitted: [{ source: "git", path: "HEAD", reason: "excluded" }],
    });
    const kept = await captureRedacted(dir, { history: "keep" });
    expect(everythingIn(extract(kept)).includes(key)).toBe(true);
    expect(kept.outcome).toMatchObject({ history: "unredacted", unscanned: [{ path: "git", reason: "history_kept" }] });
  });

  it("gives the refs of a history that is kept names without secrets, wherever the manifest or git says them", async () => {
    const dir = notes(2);
    const [branch, tag, packed] = [secret(), secret(), secret()];
    run(dir, "branch", `old-${packed}`);
    run(dir, "pack-refs", "--all");
    run(dir, "switch", "-q", "-c", `fix/${branch}`);
    run(dir, "tag", `v-${tag}`);
    commitFile(dir, "more.md", "more\n");
    run(dir, "config", `branch.fix/${branch}.description`, "mine");
    const head = run(dir, "rev-parse", "HEAD");
    const kept = await captureRedacted(dir, { history: "keep" });
    const names = [branch, tag, packed];
    expect(names.filter((name) => kept.captured.entries.some(({ path }) => path.includes(name)))).toEqual(names);
    const out = extract(kept);
    expect(kept.entries.filter(({ path }) => names.some((name) => path.includes(name)))).toEqual([]);
    expect(names.filter((name) => everythingIn(out).includes(name))).toEqual([]);
    expect(run(out, "for-each-ref", "--format=%(refname)").split("\n").sort()).toEqual([
      "refs/heads/fix/REDACTED-acme_key",
      "refs/heads/main",
      "refs/heads/old-REDACTED-acme_key",
      "refs/tags/v-REDACTED-acme_key",
    ]);
    expect([run(out, "rev-parse", "HEAD"), run(out, "symbolic-ref", "HEAD")]).toEqual([
      head,
      "refs/heads/fix/REDACTED-acme_key",
    ]);
    expect(run(out, "config", "branch.fix/REDACTED-acme_key.description")).toBe("mine");
    expectSound(out);
    expect(kept.outcome).toMatchObject({ history: "unredacted", matches: { acme_key: 3 } });
  });

  it("redacts 300 commits, of which all hold a secret of their own, and nothing of them is left", async () => {
    const dir = freshDir();
    run(dir, "init", "-q", "-b", "main");
    const keys = Array.from({ length: 300 }, () => secret());
    const commits = keys.map(
      (key, number) =>
        `commit refs/heads/main\ncommitter Ana <a@b.c> ${String(1_700_000_000 + number)} +0000\ndata <<END\nnote ${String(number)}\nEND\n` +
        `M 100644 inline notes/${String(number % 30)}.md\ndata <<END\n${"words ".repeat(200)}\n${key}\n${"more ".repeat(200)}\nEND\n`,
    );
    execFileSync("git", ["fast-import", "--quiet"], { cwd: dir, input: commits.join("\n") });
    run(dir, "reset", "-q", "--hard");
    run(dir, "gc", "-q");
    const redacted = await captureRedacted(dir);
    const out = extract(redacted);
    const left = everythingIn(out);
    expect(keys.filter((key) => left.includes(key))).toEqual([]);
    expect(run(out, "rev-list", "--count", "main")).toBe("300");
    expectSound(out);
    expect(run(workingCopy(dir, redacted), "status", "--porcelain")).toBe("");
    expect(redacted.outcome.source?.facts).toMatchObject({ repositories: [{ commits: 300, commitsRewritten: 300 }] });
  });
});
