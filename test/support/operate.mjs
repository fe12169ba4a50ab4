// Operations of the library in a process of its own, which a test stops or hinders at a chosen call. Each line of input is one
// operation, as JSON: the configuration, the state root, the operation and its request. Each is answered by one line.
import { createInterface } from "node:readline";
import { openKeepsake } from "@keepsake/standard";

async function answer({ config, stateRoot, name, request }) {
  let keepsake;
  try {
    keepsake = await openKeepsake({ config, stateRoot, cwd: stateRoot, env: {} });
    return { result: (await keepsake[name](request)) ?? null };
  } catch (error) {
    return { error: { name: error?.name, code: error?.code, message: String(error) } };
  } finally {
    await keepsake?.[Symbol.asyncDispose]();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
