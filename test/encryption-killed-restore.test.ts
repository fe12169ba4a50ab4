import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateIdentity, identityFileText } from "@keepsake/age";
import { writeTree } from "@keepsake/testkit";
import { expect, it } from "vitest";
import { keepsakeCase } from "./support/keepsake-case.js";
import { findPlaintext } from "./support/plaintext-search.js";
import { RunningProgram } from "./support/running-program.js";

const agent = "ana";
const CANARY = "canary-bittern-2207";

it("keeps no plaintext of a restore that was killed, once the next operation is over", async () => {
  await using box = await keepsakeCase();
  const { keepsake, memory, stateRoot, temp } = box;
  const { recipient, ...identity } = await generateIdentity();
  const key = temp.join("key.txt");
  await writeFile(key, identityFileText({ recipient, ...identity }, new Date()));
  const big = Buffer.alloc(24 << 20, `${CANARY} ${"x".repeat(500)}`);
  await writeTree(memory, { [`${CANARY}.md`]: CANARY, "big.bin": big });
  const { record } = await keepsake.snapshot({ agent, recipients: [recipient] });
  expect(await findPlaintext(stateRoot, CANARY)).toEqual([]);
  await writeTree(memory, { [`${CANARY}.md`]: "changed" });

  const restore = ["restore", "--agent", agent, "--root", stateRoot, "--memory", memory, record.id, "--yes"];
  await killInTheMiddle([...restore, "--identity", key], stateRoot);
  expect(await findPlaintext(stateRoot, CANARY), "the kill left something to sweep").not.toEqual([]);
  await keepsake.snapshot({ agent, recipients: [recipient] });
  expect(await findPlaintext(stateRoot, CANARY)).toEqual([]);
}, 120_000);

/** Runs the command until its private staging holds a good part of the memory, then kills it there. */
async function killInTheMiddle(command: readonly string[], stateRoot: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    await using program = RunningProgram.node("../../packages/cli/bin/keepsake.js", ...command);
    while (!program.ended && !(await isStaging(stateRoot))) await new Promise(setImmediate);
    await program.kill();
    if (await isStaging(stateRoot)) return;
  }
}

async function isStaging(stateRoot: string): Promise<boolean> {
  const found = await readdir(join(stateRoot, "staging"), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = found.filter((entry) => entry.isFile());
  const sizes = files.map((entry) => stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 })));
  return (await Promise.all(sizes)).some(({ size }) => size > 1 << 20);
}
