import { gzipSync } from "node:zlib";
import {
  type ByteStream,
  collectBytes,
  maskInBytes,
  type RedactionPolicy,
  redactDocument,
  redactDocumentText,
  redactStream,
  redactText,
  type StreamOutcome,
} from "@keepsake/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_RULES, defaultPolicy, expandSample } from "../src/index.js";
import { makeCorpus } from "./support/corpus.js";

const WHERE = { path: "memory_files/a.json" };
const policy = defaultPolicy();
const GITHUB = expandSample("gh{}p_{alnum:36}").text;
const MARK = "[REDACTED:github_token]";
const PEM = expandSample(
  "-----BEG{}IN RSA PRIVATE KEY-----\n{base64:64}\n{base64:64}\n{base64:20}==\n-----E{}ND RSA PRIVATE KEY-----\n",
).text;

const redact = (text: string) => redactDocumentText(text, policy, WHERE).text;

describe("JSON", () => {
  it("is read by string and name, and stays byte for byte the same elsewhere", () => {
    const text = `{ "n" : 1.50, "note":"x ${GITHUB}" ,\r\n\t"api_key": "a1b2c3d4e5f6a7b8c9d0", "u":"\\u00e9\\/" }\n`;
    expect(redact(text)).toBe(
      `{ "n" : 1.50, "note":"x ${MARK}" ,\r\n\t"api_key": "[REDACTED:named_secret]", "u":"\\u00e9\\/" }\n`,
    );
  });

  it.each([
    ["a name", `{"${GITHUB}":1}`, `{"${MARK}":1}`],
    ["an escaped letter", `{"a":"\\u0067${GITHUB.slice(1)}"}`, `{"a":"${MARK}"}`],
    [
      "escaped slashes",
      '{"u":"https:\\/\\/ana:p4ssw0rd99@ex.org\\/a"}',
      '{"u":"https:\\/\\/ana:[REDACTED:url_password]@ex.org\\/a"}',
    ],
    ["a private key on one line", JSON.stringify({ k: PEM }), '{"k":"[REDACTED:private_key]\\n"}'],
    [
      "the name of the object around",
      `{"datadog":{"api_key":"${"0123456789abcdef".repeat(2)}"}}`,
      '{"datadog":{"api_key":"[REDACTED:datadog_key]"}}',
    ],
    [
      "the name of the array around",
      '{"passwords":["hunter2x","k9"]}',
      '{"passwords":["[REDACTED:named_secret]","k9"]}',
    ],
    [
      "JSON within JSON",
      JSON.stringify({ a: JSON.stringify({ client_secret: "q7Wm2xR9tLp4Zk8v" }) }),
      JSON.stringify({ a: JSON.stringify({ client_secret: "[REDACTED:named_secret]" }) }),
    ],
    ["JSON lines, the last cut off", `{"a":1}\n{"b":"${GITHUB}"}\n{"c":"tr`, `{"a":1}\n{"b":"${MARK}"}\n{"c":"tr`],
    ["a quote in the value", '{"password":"ab\\"cd12 "}', '{"password":"ab\\"cd12 "}'],
  ])("finds what stands in %s", (_what, text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  const KEY = "q7Wm2xR9tLp4Zk8vBn3c";
  const HIDDEN = "[REDACTED:named_secret]";

  it.each([
    ["the member before it", '{"key":"DB_PASSWORD","id":3,"content":"hunter2x"}', "hunter2x"],
    ["the member behind it", `{"value":"${KEY}","enabled":true,"name":"ACME_API_KEY"}`, KEY],
    ["the object it is in", `{"ACME_API_KEY":{"value":"${KEY}","rotates":"P30D"}}`, KEY],
    ["the array its object is in", `{"api_keys":[{"owner":"ana","value":"${KEY}"}]}`, KEY],
    ["the array it is in", `{"access_tokens":["${KEY}"]}`, KEY],
    ["the entity that it is observed of", `{"name":"ACME_API_KEY","observations":["${KEY}","since May"]}`, KEY],
    ["a member in lines", `[\n {\n  "name": "ACME_API_KEY",\n  "type": "text",\n  "value": "${KEY}"\n }\n]`, KEY],
  ])("is told by %s what a value is called", (_what, text, secret) => {
    expect(redact(text)).toBe(text.replace(secret, HIDDEN));
  });

  it.each([
    `{"name":"checksum","value":"${KEY}"}`,
    '{"name":"ACME_API_KEY","value":"${ACME_API_KEY}"}',
    '{"name":"session_id","value":"550e8400-e29b-41d4-a716-446655440000"}',
    `[{"name":"ACME_API_KEY","value":"${HIDDEN}"},{"name":"etag","value":"${KEY}"}]`,
    `{"name":"api_key","description":"where it is","settings":{"name":"etag","value":"${KEY}"}}`,
    '{"key":"max_tokens","value":"4096-tokens-2024a"}',
    '{"tokens":["internationalization1","antidisestablishment2"]}',
  ])("spares what its name does not tell: %s", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("is still JSON afterwards, and nothing else is changed", () => {
    const names = fc.constantFrom("a", "api_key", "password", "note", "x y", 'q"uote');
    const texts = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(GITHUB, `say ${GITHUB}\n"quoted"`, PEM, "hunter2!x", "C:\\", "[REDACTED:jwt]"),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        texts,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constant(null),
        tie("list"),
        tie("object"),
      ),
      list: fc.array(tie("value"), { maxLength: 3 }),
      object: fc.dictionary(names, tie("value"), { maxKeys: 4 }),
    }));
    const blank = (one: unknown): unknown => {
      if (typeof one === "string") return redact(JSON.stringify({ v: one })) === JSON.stringify({ v: one }) ? "" : "!";
      if (Array.isArray(one)) return one.map(blank);
      return one !== null && typeof one === "object" ? Object.values(one).map(blank) : one;
    };
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2, "\t"), (data, space) => {
        const text = JSON.stringify(data, null, space);
        const redacted = redact(text);
        const again: unknown = JSON.parse(redacted);
        expect(redacted).not.toContain(GITHUB);
        expect(JSON.stringify(blank(again)).length).toBeGreaterThan(0);
        expect(redact(redacted)).toBe(redacted);
        if (redacted === text) expect(again).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });
});

describe("what is encoded", () => {
  it.each([
    ["percent signs", `x=${Array.from(GITHUB, (one) => `%${one.charCodeAt(0).toString(16)}`).join("")}`, `x=${MARK}`],
    [
      "an encoded address",
      encodeURIComponent("postgres://u:Xk9mP2vL8q@host/db"),
      "postgres%3A%2F%2Fu%3A[REDACTED:database_url]%40host%2Fdb",
    ],
    ["escapes in a text that is no JSON", `see \\u0067${GITHUB.slice(1)}.`, `see ${MARK}.`],
    ["base64", `b: ${Buffer.from(`my ${GITHUB} is`).toString("base64")}`, `b: ${MARK}`],
    ["base64 of URLs", `b: ${Buffer.from(`my ${GITHUB} is???>>>`).toString("base64url")}`, `b: ${MARK}`],
    ["base64 behind a slash", `data/${Buffer.from(`my ${GITHUB} is`).toString("base64")}`, `data/${MARK}`],
    ["gzip in base64", `b: ${gzipSync(`my ${GITHUB} is`).toString("base64")}`, `b: ${MARK}`],
    [
      "a folded mail",
      `\n${Buffer.from(`${"lorem ipsum ".repeat(30)}${GITHUB}`)
        .toString("base64")
        .replaceAll(/.{76}/g, "$&\r\n")}\r\n--`,
      `\n${MARK}\r\n--`,
    ],
  ])("is found in %s", (_what, text, expected) => {
    expect(redact(text)).toBe(expected);
    expect(redactText(text, policy, WHERE).text).not.toBe(expected);
  });

  it("leaves encoded texts and pictures that hold nothing", () => {
    const texts = [
      `t: ${Buffer.from("nothing in here at all, truly").toString("base64")}`,
      `data:image/png;base64,iVBORw0KGgo${"Ab3/".repeat(40)}`,
      "100%25 of \\u0041",
    ];
    for (const text of texts) expect(redact(text)).toBe(text);
  });
});

describe("a token that a width broke", () => {
  const long = expandSample("gh{}p_{alnum:36}").text;

  it.each([
    [
      "a mail",
      (token: string) => `It is the one that Ana made for the server in May, namely: ${token} and no other.`,
      76,
    ],
    ["a setting", (token: string) => `  the_token_of_the_deployment_of_acme_in_frankfurt: "${token}"`, 72],
    ["a terminal", (token: string) => `curl -sS https://api.example.org/v1/things/of/acme?page=2 -H 'X: ${token}'`, 80],
  ])("is found whole, in %s", (_what, line, width) => {
    const text = `before\n${line(long)}\nafter\n`.replaceAll(new RegExp(`^(.{${String(width)}})`, "gm"), "$1\n");
    expect(text).not.toContain(long);
    const redacted = redact(text);
    expect(redacted).toBe(`before\n${line(MARK)}\nafter\n`);
    expect(redact(redacted)).toBe(redacted);
  });

  it.each([
    ["digests in a column", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n".repeat(3)],
    [
      "prose",
      "The password of the machine in Frankfurt is kept where the others are kept,\nnamely-with-Ana-2024 in the safe.\n",
    ],
    ["names", `checksum_of_the_whole_archive: 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12\ntoken_type: bearer2\n`],
  ])("is not made of %s", (_what, text) => {
    expect(redact(text)).toBe(text);
  });
});

describe("a table", () => {
  it.each([
    [
      "of values with commas",
      'name,url,username,password\r\n"Mail, old",https://m.example.org,ana,hunter2x\r\nForum,,ana,"k9#Lm2pQ"\r\n',
    ],
    ["of values with semicolons", "user;api_key;since\nana;q7Wm2xR9tLp4Zk8vBn3c;2024\n\nmore; text\n"],
    ["of Markdown", "| Service | Password |\n|:---|---|\n| mail | `hunter2x` |\n\nafter\n"],
  ])("%s is read by the names above its columns", (_what, text) => {
    const secrets = ["hunter2x", "k9#Lm2pQ", "q7Wm2xR9tLp4Zk8vBn3c"];
    expect(redact(text)).toBe(secrets.reduce((now, one) => now.replace(one, "[REDACTED:named_secret]"), text));
  });

  it.each([
    "name,token_count,checksum\na.md,4096,q7Wm2xR9tLp4Zk8vBn3c\n",
    "the key, the lock,\nq7Wm2xR9tLp4Zk8vBn3c, and more,\n",
    "| Setting | API key |\n|---|---|\n| where | ${ACME_KEY} |\n| how | see-the-handbook |\n",
  ])("spares what no name above it tells: %j", (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe("the bytes of a text", () => {
  const bytesOf = (bytes: Uint8Array) => redactDocument(bytes, policy, WHERE);

  it("are read as UTF-16 without a mark, too, in either order", () => {
    for (const order of [(bytes: Buffer) => bytes, (bytes: Buffer) => bytes.swap16()]) {
      const redacted = bytesOf(order(Buffer.from(`token ${GITHUB} für\r\n`, "utf16le")));
      expect(redacted.unscanned === undefined && order(Buffer.from(redacted.bytes)).toString("utf16le")).toBe(
        `token ${MARK} für\r\n`,
      );
    }
    const numbers = Buffer.from(new Uint16Array(Array.from({ length: 64 }, (_none, n) => n)).buffer);
    expect(bytesOf(numbers)).toEqual({ unscanned: "binary" });
  });

  it("are overwritten where they are UTF-16 within something else, and keep their length", () => {
    for (const order of [(bytes: Buffer) => bytes, (bytes: Buffer) => bytes.swap16()]) {
      const bytes = Buffer.concat([
        Buffer.from([1, 0, 0, 9]),
        order(Buffer.from(`x ${GITHUB} y`, "utf16le")),
        Buffer.alloc(5, 7),
      ]);
      const { bytes: masked, matches } = maskInBytes(bytes, policy, WHERE);
      const expected = order(Buffer.from(`x ${MARK.padEnd(GITHUB.length, "*")} y`, "utf16le"));
      expect(Buffer.from(masked).subarray(4, -5).equals(expected)).toBe(true);
      expect([masked.length, matches]).toEqual([bytes.length, { github_token: 1 }]);
    }
  });

  it("are read as UTF-8 and UTF-16 with a mark, and as an eight-bit code, and written the same", () => {
    const little = Buffer.from(`\ufeffa ${GITHUB} ü\r\n`, "utf16le");
    const encodings: readonly (readonly [Uint8Array, (bytes: Uint8Array) => string, string])[] = [
      [Buffer.from(`\ufeff${GITHUB} ü\r\n`), (bytes) => Buffer.from(bytes).toString("utf8"), `\ufeff${MARK} ü\r\n`],
      [little, (bytes) => Buffer.from(bytes).toString("utf16le"), `\ufeffa ${MARK} ü\r\n`],
      [
        Buffer.from(little).swap16(),
        (bytes) => Buffer.from(bytes).swap16().toString("utf16le"),
        `\ufeffa ${MARK} ü\r\n`,
      ],
      [Buffer.from(`\xfc ${GITHUB}`, "latin1"), (bytes) => Buffer.from(bytes).toString("latin1"), `\xfc ${MARK}`],
    ];
    for (const [bytes, decode, expected] of encodings) {
      const redacted = bytesOf(bytes);
      expect(redacted.unscanned === undefined && decode(redacted.bytes)).toBe(expected);
    }
  });

  it("are given back as they are where nothing is found, and are not scanned where they are no text", () => {
    const clean = Buffer.from("nothing \ud800 here");
    expect(bytesOf(clean)).toEqual({ bytes: clean, matches: {} });
    expect(bytesOf(Buffer.from(`${GITHUB}\0`))).toEqual({ unscanned: "binary" });
    expect(bytesOf(Buffer.from([0xff, 0x01, 0x41]))).toEqual({ unscanned: "binary" });
    expect(bytesOf(Buffer.from([0xff, 0xfe, 0x41]))).toEqual({ unscanned: "binary" });
  });
});

describe("a file that is one bare value", () => {
  const at = (path: string, text: string) => redactDocumentText(text, policy, { path }).text;

  it("is told by its name", () => {
    expect(at("memory_files/secrets/acme_api_key.txt", "q7Wm2xR9tLp4Zk8vBn3c\n")).toBe("[REDACTED:named_secret]\n");
    expect(at("state/refresh_token.json", '"q7Wm2xR9tLp4Zk8vBn3c"')).toBe('"[REDACTED:named_secret]"');
    const [mail, hash] = ["Tls:ana", "{hex:40}"].map((one) => expandSample(one).text);
    for (const [path = "", text = ""] of [
      ["memory_files/etag.txt", "q7Wm2xR9tLp4Zk8vBn3c\n"],
      ["memory_files/api_key.md", "${API_KEY}"],
      ["memory_files/password_policy.md", "see-the-handbook-2024\n"],
      ["memory_files/user.txt", mail],
      ["state/last_commit.json", `"${hash ?? ""}"`],
    ])
      expect(at(path, text)).toBe(text);
  });
});

describe("a document that is redacted in passing", () => {
  async function passed(
    bytes: Uint8Array,
    sizes: object,
    step = 1009,
  ): Promise<{ text: string; outcome: StreamOutcome }> {
    const outcome: StreamOutcome = { matches: {} };
    async function* chunks(): ByteStream {
      for (let from = 0; from < bytes.length; from += step) yield bytes.subarray(from, from + step);
    }
    const output = await collectBytes(redactStream(chunks(), policy, WHERE, outcome, sizes), 1 << 26);
    return { text: Buffer.from(output).toString("utf8"), outcome };
  }
  const items = makeCorpus(7, 3).secrets;
  const records = items.map(({ text }, id) => ({ id, text, meta: { source: "é\u{1f600}" } }));

  it.each([
    ["text", items.map(({ text }) => `${text}\nü\u{1f600} more\n`).join("\n")],
    ["one line of JSON", JSON.stringify(records)],
    ["JSON in many lines", JSON.stringify(records, null, 2)],
    ["JSON lines", records.map((record) => JSON.stringify(record)).join("\n")],
  ])("is as one that is redacted whole: %s", async (_what, text) => {
    const whole = redactDocumentText(text, policy, WHERE);
    expect(whole.text).not.toBe(text);
    for (const windowBytes of [16_000, 23_456]) {
      const { text: redacted, outcome } = await passed(Buffer.from(text), { windowBytes, marginBytes: 6_000 });
      expect(redacted === whole.text).toBe(true);
      expect(outcome).toEqual({ matches: whole.matches });
    }
  });

  it("shows a secret at whatever place a window ends", async () => {
    for (let before = 1950; before < 2050; before += 3) {
      const text = `${"-".repeat(before)} ${GITHUB} ${"=".repeat(3000)}`;
      const { text: redacted } = await passed(Buffer.from(text), { windowBytes: 3_000, marginBytes: 1_000 }, 100);
      expect(redacted).toBe(text.replace(GITHUB, MARK));
    }
  });

  it("cuts no value from what it is called", async () => {
    const member = (id: number): string =>
      `{"name":"ACME_API_KEY","note":"${"n ".repeat(id % 97)}","value":"q7Wm2xR9tLp4Zk8v"}`;
    const text = `[${Array.from({ length: 300 }, (_none, id) => member(id)).join(",")}]`;
    const { text: redacted, outcome } = await passed(Buffer.from(text), { windowBytes: 2_000, marginBytes: 700 });
    expect(redacted === text.replaceAll("q7Wm2xR9tLp4Zk8v", "[REDACTED:named_secret]")).toBe(true);
    expect(outcome.matches).toEqual({ named_secret: 300 });
  });

  it("says when it is no text, and when one string is larger than may be", async () => {
    const binary = Buffer.concat([Buffer.alloc(5000, 65), Buffer.alloc(10)]);
    expect((await passed(binary, { windowBytes: 1000, marginBytes: 100 })).outcome.unscanned).toBe("binary");
    const huge = Buffer.from(JSON.stringify({ a: "x ".repeat(5000) }));
    const sizes = { windowBytes: 1000, marginBytes: 100, maxWindowBytes: 4000 };
    expect((await passed(huge, sizes)).outcome.unscanned).toBe("too_large");
  });
});

describe("redacting what is redacted", () => {
  it("changes nothing, also with a policy that would find its own replacements", () => {
    const greedy: RedactionPolicy = {
      id: "greedy",
      rules: ["any_token"],
      scan: (text) =>
        [...text.matchAll(/token=(\S+)/g)].map(({ index, 0: match }) => ({
          start: index + 6,
          end: index + match.length,
          rule: "any_token",
        })),
    };
    const once = redactText("a token=abc b", greedy, WHERE);
    expect(once).toEqual({ text: "a token=[REDACTED:any_token] b", matches: { any_token: 1 } });
    expect(redactText(once.text, greedy, WHERE)).toEqual({ text: once.text, matches: {} });
    expect(redactDocumentText(once.text, greedy, WHERE)).toEqual({ text: once.text, matches: {} });
  });

  it("finds nothing more in what every rule has found, one touching the next", () => {
    for (const rule of DEFAULT_RULES) {
      const text = rule.samples.found.map((sample) => expandSample(sample).text).join("");
      const once = redact(text);
      expect(redact(once)).toBe(once);
    }
  });
});

describe("YAML", () => {
  const value = "q7Wm2xR9tLp4";
  const mark = "[REDACTED:named_secret]";

  it.each([
    [
      "an item of a list",
      (it: string) => `env:\n  - value: ${it}\n    name: DB_PASSWORD\n  - value: "8080"\n    name: PORT\n`,
    ],
    ["a mapping", (it: string) => `  value: ${it}  # rotated\r\n  name: "DB_PASSWORD"\r\n`],
    ["quotes", (it: string) => `- value: "${it}"\n  name: DB_PASSWORD`],
    ["the key of a setting", (it: string) => `- value: '${it}'\n  key: db.password\n`],
    ["braces", (it: string) => `env: [\n  { value: ${it}, name: DB_PASSWORD },\n  { value: prod, name: STAGE }]\n`],
    ["the other order", (it: string) => `- name: DB_PASSWORD\n  value: ${it}\n- name: PORT\n  value: "8080"\n`],
    ["braces in the other order", (it: string) => `- { name: DB_PASSWORD, value: "${it}" }\n`],
  ])("tells a value by the name that stands behind it, or before: %s", (_, text) => {
    expect(redact(text(value))).toBe(text(mark));
  });

  it.each([
    ["a name of something else", `- value: ${value}\n  name: LOG_FILE\n`],
    ["a name in another column", `- value: ${value}\nname: DB_PASSWORD\n`],
    ["a name of the next item", `- value: ${value}\n- name: DB_PASSWORD\n`],
    ["a reference", `- value: \${DB_PASSWORD_1}\n  name: DB_PASSWORD\n`],
    ["a word before", `the value: ${value}\n    name: DB_PASSWORD\n`],
    ["a block", `- value: |\n  name: DB_PASSWORD\n`],
  ])("spares %s", (_, text) => {
    expect(redact(text)).toBe(text);
  });
});
