// node capture-as-other.mjs <memory>: prints the entries of a capture, without content
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memdir } from "../dist/index.js";

const scratchDir = mkdtempSync(join(tmpdir(), "keepsake-test-other-"));
const agent = { tenant: "default", agent: "ana" };
const session = await memdir().open({ agent, paths: { memory: process.argv[2] }, scratchDir, claimed: [] });
const found = [];
for await (const entry of session.entries()) found.push({ ...entry, content: undefined });
console.log(JSON.stringify(found));
