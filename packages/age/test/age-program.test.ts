import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chunked, collect, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { age } from "../src/age.js";
import { generateIdentity, identityFileText } from "../src/keygen.js";
import { readIdentityFile } from "../src/identity-file.js";
import { hasProgram, outcome, run, sampleNoise } from "./helpers.js";

const unlimited = { maxOutputBytes: Number.POSITIVE_INFINITY };
const sizes = [0, 1, 100, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 1_000_000];

const available = hasProgram("age") && hasProgram("age-keygen");
if (!available) {
  if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1")
    throw new Error("The age program is required, and is not installed.");
  console.warn("NOT RUN: the age program is not installed (KEEPSAKE_REQUIRE_TOOLS=1 makes this an error).");
}

describe.runIf(available)("the age program", () => {
  it("decrypts what we encrypt, with our identity file, for each recipient", async () => {
    await using dir = await tempDir();
    const pairs = [await generateIdentity(), await generateIdentity()];
    const codec = age({ recipients: pairs.map(({ recipient }) => recipient) });
    for (const [index, pair] of pairs.entries()) {
      const file = join(dir.path, `${String(index)}.txt`);
      await writeFile(file, identityFileText(pair, new Date()), { mode: 0o600 });
      for (const size of sizes) {
        const content = sampleNoise(size);
        const encoded = await collect(codec.encode(chunked(content, 10_000)));
        expect(run("age", ["-d", "-i", file], encoded).equals(content)).toBe(true);
      }
      expect(run("age-keygen", ["-y", file], Buffer.alloc(0)).toString().trim()).toBe(pair.recipient);
    }
  });

  it("encrypts what we decrypt, armored or not, with its own identity file", async () => {
    await using dir = await tempDir();
    const file = join(dir.path, "keys.txt");
    run("age-keygen", ["-o", file], Buffer.alloc(0));
    const recipient = run("age-keygen", ["-y", file], Buffer.alloc(0)).toString().trim();
    const codec = age({ identityFiles: [file] });
    for (const size of sizes) {
      const content = sampleNoise(size);
      for (const options of [[], ["-a"]]) {
        const encoded = run("age", ["-r", recipient, ...options], content);
        for (const cut of [777, Number.POSITIVE_INFINITY]) {
          expect(Buffer.compare(await collect(codec.decode(chunked(encoded, cut), unlimited)), content)).toBe(0);
        }
      }
    }
  });

  it("makes armored files whose every cut and flipped byte we notice", async () => {
    await using dir = await tempDir();
    const file = join(dir.path, "keys.txt");
    run("age-keygen", ["-o", file], Buffer.alloc(0));
    const recipient = run("age-keygen", ["-y", file], Buffer.alloc(0)).toString().trim();
    const codec = age({ identities: await readIdentityFile(file) });
    const armored = run("age", ["-a", "-r", recipient], Buffer.from("secret"));
    for (let index = 0; index < armored.length - 1; index += 1) {
      expect(await outcome(codec.decode(chunked(armored.subarray(0, index)), unlimited))).toMatch(
        /^E_(TRUNCATED|INTEGRITY)$/,
      );
      const damaged = Buffer.from(armored);
      damaged[index] = (damaged[index] ?? 0) ^ 1;
      expect(await outcome(codec.decode(chunked(damaged), unlimited))).toMatch(
        /^E_(INTEGRITY|TRUNCATED|DECRYPT|UNSUPPORTED)$/,
      );
    }
  });

  it("writes the identity file we would write", async () => {
    await using dir = await tempDir();
    const file = join(dir.path, "keys.txt");
    run("age-keygen", ["-o", file], Buffer.alloc(0));
    await chmod(file, 0o600);
    const shape = (text: string): string =>
      text
        .replace(/\d{4}-\d\d-\d\dT[\d:]+(Z|[+-]\d\d:\d\d)/, "TIME")
        .replace(/age1\w+/, "age1…")
        .replace(/KEY-1\w+/, "KEY-1…");
    expect(shape(identityFileText(await generateIdentity(), new Date()))).toBe(shape(await readFile(file, "utf8")));
  });

  it("refuses what we encrypted for somebody else", async () => {
    await using dir = await tempDir();
    const file = join(dir.path, "keys.txt");
    run("age-keygen", ["-o", file], Buffer.alloc(0));
    const encoded = await collect(age({ recipients: [(await generateIdentity()).recipient] }).encode(chunked("x")));
    expect(() => run("age", ["-d", "-i", file], encoded)).toThrow(/no identity matched/);
  });
});
