/**
 * How fast texts are redacted with the whole pack of rules, on one core: in MB/s of processor time, and as a share of what one
 * search for all the rules' keywords costs, which any scanner has to do. `npm run bench:redaction`, or with names of texts.
 *
 * What else runs on the machine slows both: the share tells more than the speed.
 */
import { redactDocument } from "../packages/core/dist/index.js";
import { DEFAULT_RULES, defaultPolicy, expandSample } from "../packages/redaction/dist/index.js";

const SIZE = 4 * 1024 * 1024;
const ROUNDS = 7;
const WHERE = { path: "memory_files/note.md" };
const WORDS =
  "the agent wrote a note about planning tokens and keys for the next meeting with Ben in Berlin where we talk of release risk and tasks pass through review by author";

let state = 17;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}

const words = WORDS.split(" ");
const samples = DEFAULT_RULES.flatMap((rule) => rule.samples.found);
const pick = (list) => list[Math.floor(random() * list.length)];
const sentence = () => `${Array.from({ length: 12 }, () => pick(words)).join(" ")}.\n`;
const prose = (length) => fill(length, sentence);
const secret = () => expandSample(pick(samples), random).text;

function fill(length, make) {
  const parts = [];
  for (let size = 0; size < length; size += parts.at(-1).length) parts.push(make());
  return parts.join("");
}

let id = 0;
const message = () =>
  `${JSON.stringify({ id: id++, ts: "2024-03-01T12:00:00Z", role: "assistant", content: prose(400), usage: { tokens: 123 } })}\n`;

const TEXTS = {
  prose: () => prose(SIZE),
  "JSON lines": () => fill(SIZE, message),
  "JSON, indented": () =>
    `[${fill(SIZE, () => `${JSON.stringify({ id: id++, text: prose(200), tags: ["a", "b"], at: 17 }, null, 2)},\n`)}{}]`,
  "vectors in JSON": () =>
    fill(SIZE, () => `${JSON.stringify({ id: id++, embedding: Array.from({ length: 100 }, () => random() - 0.5) })}\n`),
  "program text": () =>
    fill(
      SIZE,
      () =>
        `export function ${pick(words)}(a: string, b: number): string {\n  const key = a.split("/").join(".");\n  return key + b;\n}\n`,
    ),
  "a secret in 8 KB": () => fill(SIZE, () => `${prose(8000)}${secret()}\n`),
  "a secret in 1 KB": () => fill(SIZE, () => `${prose(1000)}${secret()}\n`),
};

/** The best of some rounds, in MB/s of processor time. */
function speedOf(bytes, work) {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    best = Math.max(best, bytes / (user + system));
  }
  return best;
}

const policy = defaultPolicy();
const escaped = (text) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
const keywords = new RegExp([...new Set(DEFAULT_RULES.flatMap((rule) => rule.keywords))].map(escaped).join("|"), "gi");
const asked = process.argv.slice(2);

for (const [name, make] of Object.entries(TEXTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const text = make();
  const bytes = Buffer.from(text);
  const peer = speedOf(bytes.length, () => text.match(keywords)?.length);
  const ours = speedOf(bytes.length, () => redactDocument(bytes, policy, WHERE));
  console.log(
    `${name.padEnd(18)}${ours.toFixed(1).padStart(7)} MB/s   ${(ours / peer).toFixed(1)} × one search for the keywords (${peer.toFixed(1)} MB/s)`,
  );
}
