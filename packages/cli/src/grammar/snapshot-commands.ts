import type { Command } from "commander";
import type { Bind } from "./bind.js";
import { gather, positiveInteger } from "./values.js";

const AGENT = ["--agent <agent>", "the agent: [a-z0-9_-]{1,64}"] as const;
const MEMORY = ["--memory <dir>", "the agent's memory directory (else the configuration's)"] as const;
const IDENTITY = ["--identity <file>", "file with an age identity (repeatable)", gather] as const;
const ENCRYPT = ["--encrypt <recipient>", "encrypt to this age recipient (repeatable)", gather] as const;
const ONLY = [
  "--only <what>",
  "restore only this: a source's id, a path or glob in the memory (repeatable)",
  gather,
] as const;
const REQUIRE_CLEAN = ["--require-clean", "redact, and fail when anything could not be looked through"] as const;
const REF = ["<ref>", "id, unique prefix of 4 or more, latest, latest~N"] as const;

/** The commands that take, show, check, bring back and remove snapshots. */
export function addSnapshotCommands(program: Command, bind: Bind): void {
  bind(
    program
      .command("snapshot")
      .description("take a snapshot")
      .requiredOption(...AGENT)
      .option(...MEMORY)
      .option("--label <text>", "a label for people")
      .option("--redact", "replace secrets (default: the configuration's)")
      .option("--no-redact", "keep everything as it is")
      .option(...REQUIRE_CLEAN)
      .option(...ENCRYPT)
      .option("--allow-partial", "accept a weaker consistency than configured; the manifest says so")
      .option("--created-by <text>", "who or what takes it")
      .option("--full", "read everything, also what seems not to have changed since the last snapshot")
      .option("--skip-unchanged", "take none when nothing has changed since the last"),
    async () => (await import("../commands/snapshot.js")).snapshot,
  );
  bind(
    program
      .command("list")
      .description("list snapshots, newest first")
      .option(...AGENT)
      .option("--all", "of every agent"),
    async () => (await import("../commands/list.js")).list,
  );
  bind(
    program
      .command("show")
      .description("print a snapshot's manifest")
      .argument(...REF)
      .requiredOption(...AGENT)
      .option(...IDENTITY),
    async () => (await import("../commands/show.js")).show,
  );
  bind(
    program
      .command("verify")
      .description("check a snapshot or a bundle file; each check is ok, failed or not_checked")
      .argument("[ref]", REF[1])
      .option(...AGENT)
      .option("--bundle <path>", "a bundle file instead of a stored snapshot")
      .option("--deep", "also unpack it into scratch and make every check that a restore makes")
      .option(...IDENTITY),
    async () => (await import("../commands/verify.js")).verify,
  );
  bind(
    program
      .command("restore")
      .description("put a snapshot back; asks before it replaces or deletes anything")
      .argument("[ref]", REF[1])
      .requiredOption(...AGENT)
      .option("--from <path>", "a bundle file instead of a stored snapshot")
      .option(...MEMORY)
      .option(...ONLY)
      .option("--dry-run", "print what would change and how the snapshot differs, and change nothing")
      .option(...IDENTITY)
      .option("--no-pre-snapshot", "take no snapshot first; the restore cannot be undone")
      .option("--live", "write through databases that other processes hold open")
      .option("--accept-redacted", "put a redacted bundle over live memory")
      .option("--yes", "do not ask"),
    async () => (await import("../commands/restore.js")).restore,
  );
  bind(
    program
      .command("diff")
      .description("what changed from one snapshot to another")
      .argument("<from>", REF[1])
      .argument("<to>", REF[1])
      .requiredOption(...AGENT)
      .option(...IDENTITY),
    async () => (await import("../commands/diff.js")).diff,
  );
  bind(
    program
      .command("export")
      .description("copy a snapshot out of the store; never overwrites")
      .argument(...REF)
      .requiredOption(...AGENT)
      .requiredOption("--to <path>", "a file, or a folder to put it in")
      .option("--redact", "replace secrets on the way")
      .option(...REQUIRE_CLEAN)
      .option(...ENCRYPT)
      .option(...IDENTITY),
    async () => (await import("../commands/export.js")).exportBundle,
  );
  bind(
    program
      .command("scan")
      .description("look for secrets and change nothing; exit code 3 when there are any")
      .argument("[place]", "a folder, a bundle file, or with --agent a snapshot (else the agent's live memory)")
      .option(...AGENT)
      .option(...MEMORY)
      .option("--require-clean", "also fail when anything could not be looked through")
      .option(...IDENTITY),
    async () => (await import("../commands/scan.js")).scan,
  );
  bind(
    program
      .command("import")
      .description("take a bundle file into the store")
      .requiredOption(...AGENT)
      .requiredOption("--from <path>", "the bundle file")
      .option(...IDENTITY),
    async () => (await import("../commands/import.js")).importBundle,
  );
  bind(
    program
      .command("delete")
      .description("delete a snapshot; never the last, never the newest verified or proven one")
      .argument(...REF)
      .requiredOption(...AGENT)
      .option("--yes", "do not ask"),
    async () => (await import("../commands/delete.js")).deleteSnapshot,
  );
  bind(
    program
      .command("prune")
      .description("delete what no rule keeps (default: the configuration's retention)")
      .option(...AGENT)
      .option("--all", "of every agent")
      .option("--keep-last <n>", "the newest n", positiveInteger)
      .option("--keep-within-days <n>", "those younger than n days", positiveInteger)
      .option("--keep-hourly <n>", "the newest of each of the last n hours with snapshots", positiveInteger)
      .option("--keep-daily <n>", "… n days", positiveInteger)
      .option("--keep-weekly <n>", "… n weeks", positiveInteger)
      .option("--keep-monthly <n>", "… n months", positiveInteger)
      .option("--keep-yearly <n>", "… n years", positiveInteger)
      .option("--dry-run", "print what would be deleted, and delete nothing")
      .option("--yes", "do not ask"),
    async () => (await import("../commands/prune.js")).prune,
  );
}
