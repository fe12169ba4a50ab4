import { gzipSync } from "node:zlib";
import { SECRET_KINDS } from "./secret-kinds.js";
import { survivors } from "./survivors.js";

/** Seeded (mulberry32): the same corpus for the same seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(list: readonly T[]): T {
    const one = list[Math.floor(this.next() * list.length)];
    if (one === undefined) throw new TypeError("an empty list");
    return one;
  }

  chars(alphabet: string, count: number): string {
    return Array.from({ length: count }, () => alphabet[Math.floor(this.next() * alphabet.length)]).join("");
  }
}

/** One document of the corpus: what must be gone from it, and what must still stand in it. */
export interface CorpusItem {
  readonly kind: string;
  readonly layout: string;
  readonly text: string;
  /** as it stands in the text, and, where it is encoded there, as it is */
  readonly secret: string;
}

export interface Corpus {
  readonly secrets: readonly CorpusItem[];
  /** texts in which nothing is secret */
  readonly survivors: readonly string[];
}

type Layout = (name: string, value: string, dice: Dice) => string;

/** How agents' memories hold a secret that tells itself. */
const FREE: Readonly<Record<string, Layout>> = {
  note: (_name, value, dice) =>
    `# ${dice.pick(["Monday", "Setup", "Deploy log"])}\n\nAna gave me the new one: ${value} and asked to keep it.\nNext: call Ben.\n`,
  backticks: (name, value) => `The ${name} is \`${value}\`.`,
  json: (name, value) => JSON.stringify({ role: "user", content: `use ${value} for ${name}`, id: 17 }),
  jsonValue: (name, value) => JSON.stringify({ type: "memory", [name]: value, tags: ["a"] }, null, 2),
  jsonl: (name, value) => `{"id":1,"text":"hello"}\n${JSON.stringify({ id: 2, [name]: value })}\n{"id":3}\n`,
  env: (name, value) => `LOG_LEVEL=info\nexport ${name}=${value}\nPORT=8080\n`,
  quotedEnv: (name, value) => `${name}="${value}"\n`,
  yaml: (name, value) => `service:\n  ${name.toLowerCase()}: ${value}\n  retries: 3\n`,
  chat: (name, value) =>
    `[2024-05-03 12:01] ana: here is ${name}\n[2024-05-03 12:02] ana: ${value}\n[2024-05-03 12:03] ben: thanks!\n`,
  code: (name, value) => `const client = new Client({ ${name.toLowerCase()}: "${value}", timeout: 30 });\n`,
  python: (name, value) => `import os\nos.environ["${name}"] = '${value}'\nrun()\n`,
  log: (name, value) => `2024-05-03T12:00:00Z INFO request failed ${name}=${value} status=401\n`,
  table: (name, value) => `| name | value |\n|---|---|\n| ${name} | ${value} |\n`,
  shell: (name, value) => `$ curl -H "X-Api-Key: ${value}" https://api.example.org/v1/items?${name.length}\n`,
  nested: (name, value) => JSON.stringify({ event: JSON.stringify({ [name]: value, ok: true }) }),
  crlf: (name, value) => `a line\r\n${name}: ${value}\r\nanother\r\n`,
  base64: (name, value) => `payload: ${Buffer.from(`{"${name}":"${value}"}`).toString("base64")}\n`,
  gzip: (name, value) => `blob=${gzipSync(`${name}: ${value} and more of it`).toString("base64")};\n`,
  escaped: (name, value) =>
    `{"${name}":"${Array.from(value)
      .map((one, index) =>
        index < 4 ? `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}` : JSON.stringify(one).slice(1, -1),
      )
      .join("")}"}`,
};

/** Layouts in which the name stands beside the value: all that a secret without a form of its own can be told by. */
const BESIDE = [
  "jsonValue",
  "jsonl",
  "env",
  "quotedEnv",
  "yaml",
  "code",
  "python",
  "log",
  "table",
  "nested",
  "crlf",
  "base64",
  "backticks",
];

/** A generated corpus. Its formats are written from what the providers say, without a look at the rules. */
export function makeCorpus(seed: number, perKind = 12): Corpus {
  const dice = new Dice(seed);
  const secrets = SECRET_KINDS.flatMap((kind) =>
    Array.from({ length: perKind }, (): CorpusItem => {
      const secret = kind.make(dice);
      if (kind.layouts !== undefined) {
        return { kind: kind.id, layout: "own", text: dice.pick(kind.layouts)(secret, dice), secret };
      }
      const layout = dice.pick(kind.isNamed === true ? BESIDE : Object.keys(FREE));
      const write = FREE[layout];
      if (write === undefined) throw new TypeError(layout);
      return { kind: kind.id, layout, text: write(dice.pick(kind.names), secret, dice), secret };
    }),
  );
  return { secrets, survivors: survivors(dice) };
}
