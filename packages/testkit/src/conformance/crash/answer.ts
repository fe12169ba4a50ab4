// Answers lines of JSON, one each: a CrashOrder with the `argument` for the module's `open`. For sweeps that strike it.
import { createInterface } from "node:readline";
import type { BundleStore, JsonValue, LockManager } from "@keepsake/core";
import { chunked } from "../../streams.js";
import type { CrashOrder } from "./crash-program.js";

const [, , module = ""] = process.argv;
const { open } = (await import(module)) as { readonly open: (argument: JsonValue) => unknown };

async function answer(order: CrashOrder & { readonly argument: JsonValue }): Promise<string> {
  const part = await open(order.argument);
  if (order.do === "lock") return lock(part as LockManager, order.key);
  const store = part as BundleStore;
  const { key, text = "" } = order;
  if (order.do === "put") await store.put(key, chunked(text, 1_000));
  else if (order.do === "replace") await store.replace?.(key, Buffer.from(text));
  else await store.delete(key);
  return "done";
}

async function lock(locks: LockManager, name: string): Promise<string> {
  await using held = await locks.acquire(name, { timeoutMs: 0 });
  await held.assertHeld();
  return String(held.fencingToken);
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line) as CrashOrder & { readonly argument: JsonValue }).catch(
    (error: unknown) => (error as { readonly code?: string }).code ?? String(error),
  );
  process.stdout.write(`${said}\n`);
}
