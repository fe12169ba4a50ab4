import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { deflateSync, gzipSync } from "node:zlib";
import { collectBytes, namePolicy } from "@keepsake/core";
import { tempDir } from "@keepsake/testkit";
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { unfolded } from "../src/redaction/deep-content.js";
import { fragmentPolicy, recordingPolicy } from "../src/redaction/known-policies.js";
import { ResidueScanner } from "../src/redaction/residue-scanner.js";
import { SecretFragments } from "../src/redaction/secret-fragments.js";

const secret = (): string => `tok_${randomBytes(20).toString("base64url")}`;

function ruleIn(fragments: SecretFragments, ...chunks: readonly (string | Uint8Array)[]): string | undefined {
  const scanner = new ResidueScanner(fragments);
  for (const chunk of chunks) scanner.feed(Buffer.from(chunk));
  return scanner.rule;
}

function noted(...secrets: readonly string[]): SecretFragments {
  const fragments = new SecretFragments();
  for (const one of secrets) fragments.note("tok", one);
  return fragments;
}

describe("fragments of secrets", () => {
  it("are met in UTF-8, in UTF-16 of either order, in lower case, in part, across chunks of any size", () => {
    for (let round = 0; round < 50; round++) {
      const one = secret();
      const fragments = noted(one);
      const wide = Buffer.from(`x${one}`, "utf16le");
      expect(ruleIn(fragments, `before ${one} after`)).toBe("tok");
      expect(ruleIn(fragments, wide)).toBe("tok");
      expect(ruleIn(fragments, Buffer.from(wide).swap16())).toBe("tok");
      expect(ruleIn(fragments, `\0\0${one.toLowerCase()}`)).toBe("tok");
      expect(ruleIn(fragments, ...Array.from(`a ${one}`))).toBe("tok");
      expect(ruleIn(fragments, one.slice(4, 11), "-", one.slice(11, 18))).toBeUndefined();
      expect(ruleIn(fragments, randomBytes(4096), secret(), "[REDACTED:tok]")).toBeUndefined();
    }
  });

  it("are none where they tell nothing: words, dates, numbers that count up, how all keys of a kind begin", () => {
    const passages = [
      "production-database-password",
      "sk-ant-api03-",
      "2026-03-01T09:26:33.000Z",
      "0123456789abcdef0123456789",
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
      "-----BEGIN OPENSSH PRIVATE KEY-----",
      "correct horse battery staple",
      "==================================",
      "postgres://application@localhost",
    ];
    for (const passage of passages) {
      const fragments = noted(`${passage}${randomBytes(9).toString("hex")}`);
      expect(fragments.size).toBeGreaterThan(0);
      expect(ruleIn(fragments, `the words ${passage} mean nothing`), passage).toBeUndefined();
    }
  });

  it("of a private key are none where the public key beside it holds the same", () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const privateKey = pair.privateKey.export({ format: "pem", type: "sec1" });
    const publicKey = pair.publicKey.export({ format: "pem", type: "spki" });
    const naive = noted(String(privateKey));
    const fragments = noted(String(privateKey));
    fragments.spare(`see\n${String(publicKey)}`);
    // The point of the curve stands in both, in the same characters.
    expect(ruleIn(naive, String(publicKey))).toBe("tok");
    expect(ruleIn(fragments, String(publicKey))).toBeUndefined();
    expect(ruleIn(fragments, String(privateKey))).toBe("tok");
  });

  it("make a policy that finds bare what stood behind its name elsewhere: all of it, or the part that is there", () => {
    const one = `tok_production-key-${randomBytes(12).toString("hex")}`;
    const fragments = noted(one);
    const policy = fragmentPolicy(fragments, ["tok"]);
    const texts = [`used ${one} today`, `ü ${one.toUpperCase()} é`, `cut ${one.slice(20)}`];
    const found = texts.map((text) => policy.scan(text, { path: "a" }).map(({ start, end }) => text.slice(start, end)));
    expect(found).toEqual([[one], [one.toUpperCase()], [one.slice(20)]]);
    expect(policy.scan("production-key-rotation", { path: "a" })).toEqual([]);
  });

  it("are taken of what a policy finds, and never of what stands instead", () => {
    const fragments = new SecretFragments();
    const policy = { id: "all", rules: ["all"], scan: (text: string) => [{ start: 0, end: text.length, rule: "all" }] };
    const one = secret();
    recordingPolicy(policy, fragments).scan(`[REDACTED:anthropic_key:0123abcd]${one}`, { path: "a" });
    expect(ruleIn(fragments, "[REDACTED:anthropic_key:0123abcd]")).toBeUndefined();
    expect(ruleIn(fragments, one)).toBe("all");
  });

  it("are looked for in names behind each hyphen, where a text would have a blank", () => {
    const policy = {
      id: "tok",
      rules: ["tok"],
      scan: (text: string) => (text.startsWith("tok_") ? [{ start: 0, end: 24, rule: "tok" }] : []),
    };
    const name = `backup-of-tok_${randomBytes(10).toString("hex")}.txt`;
    expect(policy.scan(name)).toEqual([]);
    expect(namePolicy(policy).scan(name, { path: "a" })).toEqual([{ start: 10, end: 34, rule: "tok" }]);
  });
});

describe("what is folded in a file", () => {
  it("is an object of git, all of a pack, what is in gzip; and nothing of what only begins so", async () => {
    await using dir = await tempDir();
    await mkdir(dir.join("repo"));
    const git = (...args: string[]): string =>
      execFileSync("git", ["-C", dir.join("repo"), "-c", "user.name=A", "-c", "user.email=a@b.c", ...args], {
        encoding: "utf8",
      });
    git("init", "-q");
    const secrets = Array.from({ length: 40 }, secret);
    for (const [index, one] of secrets.entries()) {
      await writeFile(dir.join("repo", `note-${String(index % 3)}`), `${"a line\n".repeat(400)}${one}\n`);
      git("add", "-A");
      if (index % 8 === 7) git("commit", "-q", "-m", `about ${one}`);
    }
    git("gc", "-q");
    const packs = dir.join("repo/.git/objects/pack");
    const pack = (await readdir(packs)).find((name) => name.endsWith(".pack")) ?? "";
    const told = await collectBytes(unfolded(`${packs}/${pack}`, undefined), 1 << 24);
    const text = Buffer.from(told).toString("latin1");
    // How it begins may be told by another object; the rest of it is there.
    const committed = secrets.filter((_one, index) => index % 8 >= 5).map((one) => one.slice("tok_1234".length));
    const raw = await readFile(`${packs}/${pack}`, "latin1");
    expect(committed.filter((one) => raw.includes(one))).toEqual([]);
    expect(committed.filter((one) => !text.includes(one))).toEqual([]);
    for (const [name, bytes] of [
      ["loose", deflateSync("blob 3\0abc")],
      ["gzip", gzipSync("abc")],
    ] as const) {
      await writeFile(dir.join(name), bytes);
      expect(Buffer.from(await collectBytes(unfolded(dir.join(name), undefined), 99)).toString()).toContain("abc");
    }
    for (const bytes of [Buffer.from("x\u0001 not zlib"), Buffer.from([0x78, 0x9c, 1, 2, 3]), Buffer.from("PACK")]) {
      await writeFile(dir.join("none"), bytes);
      expect(await collectBytes(unfolded(dir.join("none"), undefined), 99)).toHaveLength(0);
    }
  });
});

describe("a look at bytes", () => {
  it("meets a secret wherever zeros and the ends of chunks lie in it", () => {
    const one = "Zq7vK2mXw9Rt4Lp8Yb3N";
    const fragments = noted(one);
    const filler = Buffer.from("lorem ipsum dolor sit amet ".repeat(4));
    for (let zeros = 1; zeros < one.length; zeros++) {
      const gap = Buffer.concat([Buffer.from(one.slice(0, zeros)), Buffer.alloc(3), Buffer.from(one.slice(zeros))]);
      const bytes = Buffer.concat([filler, gap, filler, Buffer.alloc(9), filler]);
      expect(ruleIn(fragments, bytes)).toBe("tok");
      for (let cut = filler.length; cut < filler.length + gap.length; cut++)
        expect(ruleIn(fragments, bytes.subarray(0, cut), bytes.subarray(cut)), `${String(zeros)} ${String(cut)}`).toBe(
          "tok",
        );
    }
  });
});
