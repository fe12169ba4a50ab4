import { mkdir } from "node:fs/promises";
import type { Keepsake } from "@keepsake/runtime";
import { openKeepsake } from "@keepsake/standard";
import { type TempDir, tempDir } from "@keepsake/testkit";

type Config = Exclude<Parameters<typeof openKeepsake>[0], undefined>["config"];

/** A folder with an agent's memory, and a Keepsake that looks after it. */
export interface KeepsakeCase extends AsyncDisposable {
  readonly temp: TempDir;
  /** exists and is empty */
  readonly memory: string;
  readonly stateRoot: string;
  readonly keepsake: Keepsake;
}

/** Makes both; redaction is off unless the configuration says otherwise, so that what comes back is what there was. */
export async function keepsakeCase(config: Exclude<Config, string | undefined> = {}): Promise<KeepsakeCase> {
  const temp = await tempDir();
  const memory = temp.join("memory");
  await mkdir(memory);
  const stateRoot = temp.join("state");
  const keepsake = await openKeepsake({
    config: {
      agents: { "*": { memory } },
      redaction: { default: false },
      log: { level: "silent" },
      ...config,
    },
    stateRoot,
    cwd: temp.path,
    env: {},
  });
  return {
    temp,
    memory,
    stateRoot,
    keepsake,
    async [Symbol.asyncDispose]() {
      await keepsake[Symbol.asyncDispose]();
      await temp[Symbol.asyncDispose]();
    },
  };
}
