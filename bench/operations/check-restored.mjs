import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What a restore that was measured must have done. Databases are not compared: contenders may bring back the same rows in other bytes.
 *
 * @throws when a note is missing or differs
 */
export function checkRestored(memory, target) {
  const topics = join(memory, "topics");
  for (const entry of readdirSync(topics, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const restored = join(target, "topics", file.slice(topics.length));
    if (!readFileSync(file).equals(readFileSync(restored))) throw new Error(`${restored} was not restored.`);
  }
}
