/** `npm run demo`: the whole of Keepsake once, on a memory that is being written. Exits 1 when a claim does not hold. */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import Database from "better-sqlite3";
import { filesOf, git, hasGit, keep, look, makeMemory, startAgent } from "./memory.mjs";

const CLI = fileURLToPath(new URL("../../packages/cli/bin/keepsake.js", import.meta.url));
const place = mkdtempSync(join(tmpdir(), "keepsake-demo-"));
const memory = join(place, "ana");
const env = { ...process.env, KEEPSAKE_ROOT: join(place, "state"), HOME: place, NO_COLOR: "1" };
delete env.KEEPSAKE_CONFIG;
let failures = 0;

const say = (text = "") => process.stdout.write(`${text}\n`);
const indent = (text) => say(text.trimEnd().replace(/^(?=.)/gm, "    "));
function claim(text, holds) {
  say(`  ${holds ? "ok " : "NO "} ${text}`);
  if (!holds) failures += 1;
}

/** Runs the real command; its output is shown, or parsed where the demo needs it. */
function keepsake(args, { show = false, expected = 0 } = {}) {
  if (show) say(`  $ keepsake ${args.join(" ").replaceAll(place, "…")}`);
  const all = show ? args : [...args, "--json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...all], { cwd: place, env, encoding: "utf8" });
  if (status !== expected) throw new Error(`keepsake ${args[0]} ended with ${status}\n${stdout}${stderr}`);
  if (show) indent(stdout.replaceAll(place, "…"));
  if (show) return undefined;
  return JSON.parse(status === 0 ? stdout : stderr);
}
const ana = ["--agent", "ana"];
const there = [...ana, "--memory", memory];

/** Restores a snapshot into another folder, to see what it holds. */
function copyOf(id, extra = []) {
  const copy = join(place, `copy-${id}`);
  keepsake(["restore", ...ana, id, "--memory", copy, "--accept-redacted", "--yes", ...extra]);
  return copy;
}

async function demo() {
  say("1. An agent's memory: notes under git, a graph as JSONL, two databases that it writes to without a pause.");
  makeMemory(memory);
  const agent = await startAgent(memory);
  let first;
  try {
    say("\n2. A snapshot of all of it, while the agent goes on.");
    first = keepsake(["snapshot", ...there, "--label", "before the dream"]);
    say(`  snapshot ${first.id}, ${first.artifact_count} artifacts, ${first.bundle_size_bytes} bytes in one file`);
    const manifest = keepsake(["show", ...ana, first.id]);
    for (const { id, status, artifacts, bytes } of manifest.sources)
      say(
        `    ${id.padEnd(14)}${status.padEnd(10)}${String(artifacts).padStart(4)} artifacts ${String(bytes).padStart(8)} bytes`,
      );
    claim(`one instant: writers were held for ${manifest.cut.held_ms} ms`, manifest.cut.consistency === "instant");
    claim("nothing was left out", first.complete);
  } finally {
    await agent.stop();
  }
  const [before, now] = [copyOf(first.id), look(join(memory, "long_term.db"))];
  const [longTerm, concepts] = ["long_term.db", "concepts.db"].map((name) => look(join(before, name)));
  claim(`the agent went on: ${longTerm.rows} steps in the snapshot, ${now.rows} by now`, now.rows > longTerm.rows);
  const skew = longTerm.rows - concepts.rows;
  claim(`both databases show the same moment: ${longTerm.rows} and ${concepts.rows} steps`, skew === 0 || skew === 1);
  claim("both are sound by SQLite's own check", longTerm.sound && concepts.sound);

  say("\n3. A bad dream: it rewrites a note, deletes another, and forgets half of what it knew.");
  const files = filesOf(memory);
  const head = hasGit ? git(memory, "rev-parse", "HEAD") : "";
  writeFileSync(join(memory, "notes/people.md"), "# people\n\n- nobody matters\n");
  rmSync(join(memory, "notes/plants.md"));
  appendFileSync(join(memory, "graph.jsonl"), '{"name":"Ben","likes":"nothing"}\n');
  writeFileSync(join(memory, "notes/dream.md"), "I dreamt that I was a spreadsheet.\n");
  if (hasGit) git(memory, "commit", "--quiet", "--all", "-m", "Tidy up");
  keep(new Database(join(memory, "concepts.db")))
    .exec("DELETE FROM step WHERE n % 2 = 0")
    .close();
  keepsake(["snapshot", ...there, "--label", "after the dream"]);
  keepsake(["diff", ...ana, first.id, "latest"], { show: true });

  say("\n4. Back to before the dream.");
  const report = keepsake(["restore", ...there, first.id, "--yes"]);
  claim("every note has its bytes and its mode again, the new one is gone", isDeepStrictEqual(filesOf(memory), files));
  const back = look(join(memory, "concepts.db"));
  claim(`concepts.db has its ${concepts.rows} rows again, by digest`, isDeepStrictEqual(back, concepts));
  claim("so has long_term.db", isDeepStrictEqual(look(join(memory, "long_term.db")), longTerm));
  if (hasGit) {
    claim("HEAD is where it was", git(memory, "rev-parse", "HEAD") === head);
    git(memory, "fsck", "--full");
    claim("git fsck finds nothing", true);
  }
  keepsake(["restore", ...there, report.pre_snapshot, "--yes"]);
  claim(
    "and a restore can be undone: the dream is there again",
    readFileSync(join(memory, "notes/dream.md")).length > 0,
  );

  say("\n5. The same, encrypted: only who has the identity can read it.");
  const { recipient } = keepsake(["keygen", "--output", join(place, "ana.key")]);
  const secret = keepsake(["snapshot", ...there, "--encrypt", recipient]);
  const identity = ["--identity", join(place, "ana.key")];
  const bundle = readFileSync(join(place, "state", secret.bundle_path));
  claim("the file is an age file", bundle.subarray(0, 22).toString() === "age-encryption.org/v1\n");
  const { error } = keepsake(["show", ...ana, secret.id], { expected: 12 });
  claim(`without the identity nothing of it is shown: ${error.code}`, error.code === "E_IDENTITY");
  const { ok, checks } = keepsake(["verify", ...ana, secret.id, ...identity]);
  claim(`verified with it: ${checks.map(({ name }) => name).join(", ")}`, ok && checks.every((c) => c.status === "ok"));
  claim("it restores", isDeepStrictEqual(filesOf(copyOf(secret.id, identity)), filesOf(memory)));
}

try {
  await demo();
  say(failures === 0 ? "\nAll of it held." : `\n${failures} claims did not hold.`);
} catch (error) {
  failures += 1;
  say(`\nThe demo failed: ${error.message}`);
} finally {
  rmSync(place, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
