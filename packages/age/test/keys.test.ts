import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isKeepsakeError, type JsonObject, type KeepsakeError, SILENT_LOGGER } from "@keepsake/core";
import { chunked, collect, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { age } from "../src/age.js";
import { readIdentityFile } from "../src/identity-file.js";
import { generateIdentity, identityFileText } from "../src/keygen.js";
import { outcome } from "./helpers.js";

const unlimited = { maxOutputBytes: Number.POSITIVE_INFINITY };
const ana = await generateIdentity();
const ben = await generateIdentity();
const future = await generateIdentity({ postQuantum: true });

/** With another last character, whatever the last one is: the keys are new in every run. */
function mistyped(key: string): string {
  const last = key.at(-1)?.toLowerCase() === "q" ? "p" : "q";
  return key.slice(0, -1) + (key === key.toUpperCase() ? last.toUpperCase() : last);
}

describe("recipients", () => {
  const cases: [string, readonly string[], number | undefined, RegExp][] = [
    ["none", [], undefined, /no recipient/i],
    ["an empty one", [ana.recipient, " "], 1, /index 1 is empty/],
    ["a mistyped one", [ana.recipient, mistyped(ben.recipient)], 1, /index 1 is not an age recipient/],
    ["an identity", [ana.recipient, ben.recipient, ana.identity], 2, /index 2 is an identity/],
    ["an identity in lower case", [ana.identity.toLowerCase()], 0, /index 0 is an identity/],
    ["a post-quantum identity", [future.identity], 0, /index 0 is an identity/],
    ["an SSH key", ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK"], 0, /SSH/],
    ["a word", ["hunter2"], 0, /index 0/],
    ["post-quantum beside others", [ana.recipient, future.recipient], undefined, /mixed/],
  ];
  for (const [name, recipients, index, message] of cases) {
    it(`refuses ${name}, without repeating it`, () => {
      const error = thrownBy(() => age({ recipients }));
      expect(error.code).toBe("E_RECIPIENT");
      expect(error.message).toMatch(message);
      expect(error.context["index"]).toBe(index);
      const said = allOf(error);
      for (const recipient of recipients) if (recipient.trim() !== "") expect(said).not.toContain(recipient);
      expect(said).not.toMatch(/hunter2|AGE-SECRET-KEY-(PQ-)?1./i);
    });
  }

  it("a codec without any decrypts, and refuses to encrypt", async () => {
    const encoded = await collect(age({ recipients: [` ${ana.recipient}\n`] }).encode(chunked("x")));
    const reader = age({ identities: [ana.identity] });
    expect(await outcome(reader.decode(chunked(encoded), unlimited))).toBe("ok");
    expect(await outcome(reader.encode(chunked("x")))).toBe("E_RECIPIENT");
    expect(await outcome(age().decode(chunked(encoded), unlimited))).toBe("E_IDENTITY");
  });

  it("drops duplicates", async () => {
    const encoded = await collect(age({ recipients: [ana.recipient, ana.recipient] }).encode(chunked("x")));
    expect(Buffer.from(encoded).toString("latin1").split("-> X25519").length - 1).toBe(1);
  });

  it("refuses a point of low order when it is used", async () => {
    // bech32 of 32 zero bytes: well-formed, and no key
    const zero = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqs3290gq";
    const codec = ((): ReturnType<typeof age> | undefined => {
      try {
        return age({ recipients: [zero] });
      } catch {
        return undefined;
      }
    })();
    if (codec !== undefined) expect(await outcome(codec.encode(chunked("x")))).toBe("E_RECIPIENT");
  });
});

describe("identity files", () => {
  it("are read as age-keygen writes them: comments, blank lines, several, CRLF", async () => {
    await using dir = await tempDir();
    const text = `${identityFileText(ana, new Date())}\r\n\n# another\r\n  ${ben.identity}\r\n${future.identity}`;
    const file = await secretFile(dir.path, "keys.txt", text);
    expect(await readIdentityFile(file)).toEqual([ana.identity, ben.identity, future.identity]);
    const encoded = await collect(age({ recipients: [ben.recipient] }).encode(chunked("x")));
    expect(await outcome(age({ identityFiles: [file] }).decode(chunked(encoded), unlimited))).toBe("ok");
  });

  const bad: [string, string, number | undefined, RegExp][] = [
    ["a mistyped identity", `# c\n${mistyped(ana.identity)}\n`, 2, /line 2/],
    ["a recipient", `${ana.recipient}\n`, 1, /recipient/],
    ["a plugin's identity", `\n\nAGE-PLUGIN-YUBIKEY-1QQQQQ\n`, 3, /plugin/],
    ["an SSH key", `-----BEGIN OPENSSH PRIVATE KEY-----\n`, 1, /SSH/],
    ["something else", `top secret password\n`, 1, /line 1/],
    ["comments alone", `# nothing\n`, undefined, /no identity/],
    ["nothing", ``, undefined, /no identity/],
  ];
  for (const [name, text, line, message] of bad) {
    it(`are refused when they hold ${name}: with file and line, without content`, async () => {
      await using dir = await tempDir();
      const file = await secretFile(dir.path, "keys.txt", text);
      const error = await rejectionOf(readIdentityFile(file));
      expect(error.code).toBe("E_IDENTITY");
      expect(error.message).toContain(file);
      expect(error.message).toMatch(message);
      expect(error.context["line"]).toBe(line);
      expect(allOf(error)).not.toMatch(/top secret|QQQQQ|AGE-SECRET-KEY-1[A-Z0-9]{5}/);
    });
  }

  it("that do not exist, and folders, are named", async () => {
    await using dir = await tempDir();
    for (const path of [join(dir.path, "absent"), dir.path]) {
      const error = await rejectionOf(readIdentityFile(path));
      expect([error.code, error.message.includes(path)]).toEqual(["E_IDENTITY", true]);
    }
  });

  it("that others may read are noticed, and used", async () => {
    await using dir = await tempDir();
    const file = await secretFile(dir.path, "keys.txt", identityFileText(ana, new Date()));
    const said: [string, JsonObject | undefined][] = [];
    const logger = { ...SILENT_LOGGER, warn: (text: string, facts?: JsonObject) => said.push([text, facts]) };
    await readIdentityFile(file, { logger });
    expect(said).toEqual([]);
    await chmod(file, 0o644);
    expect(await readIdentityFile(file, { logger })).toEqual([ana.identity]);
    expect(said).toEqual([["An identity file can be read by others.", { file, mode: "644" }]]);
  });

  it("that are protected by a passphrase are opened with it", async () => {
    await using dir = await tempDir();
    const lock = age({ passphrase: () => "correct horse", scryptWorkFactor: 8 });
    const bytes = await collect(lock.encode(chunked(identityFileText(ana, new Date()))));
    const file = await secretFile(dir.path, "keys.age", bytes);
    expect(await readIdentityFile(file, { passphrase: () => "correct horse" })).toEqual([ana.identity]);
    for (const [passphrase, message] of [
      [undefined, /none was given/],
      [() => "wrong", /passphrase is wrong/],
    ] as const) {
      const error = await rejectionOf(readIdentityFile(file, { passphrase }));
      expect(error.code).toBe("E_IDENTITY");
      expect(error.message).toMatch(message);
    }
  });

  it("given as text are checked when the codec is made", () => {
    const error = thrownBy(() => age({ identities: [ana.identity, "hunter2"] }));
    expect(error.code).toBe("E_IDENTITY");
    expect(error.message).toContain("line 2");
    expect(error.message).not.toContain("hunter2");
  });
});

describe("new identities", () => {
  it("differ, and are written as age-keygen does", () => {
    expect(ana.identity).not.toBe(ben.identity);
    const text = identityFileText(ana, new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)));
    expect(text).toBe(`# created: 2026-01-02T03:04:05Z\n# public key: ${ana.recipient}\n${ana.identity}\n`);
  });
});

async function secretFile(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content, { mode: 0o600 });
  return path;
}

/** Everything that a log could show of it. */
function allOf({ message, context, hint, cause, stack }: KeepsakeError): string {
  return JSON.stringify([message, context, hint, String(cause), stack]);
}

function thrownBy(action: () => unknown): KeepsakeError {
  try {
    action();
  } catch (error) {
    if (isKeepsakeError(error)) return error;
    throw error;
  }
  throw new Error("Nothing was thrown.");
}

async function rejectionOf(promise: Promise<unknown>): Promise<KeepsakeError> {
  const error: unknown = await promise.then(
    () => new Error("It did not reject."),
    (reason: unknown) => reason,
  );
  if (isKeepsakeError(error)) return error;
  throw error;
}
