import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { livenessOf, ownIdentity } from "../src/process-identity.js";

async function running(script: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  return { child, said: data.toString().trim() };
}

const TELL = `
  import { ownIdentity } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
  console.log(JSON.stringify(ownIdentity()));
  setInterval(() => {}, 1000);
`;

describe("livenessOf", () => {
  it("knows this process, and does not take another start time for it", () => {
    expect(livenessOf(ownIdentity())).toBe("alive");
    expect(livenessOf({ ...ownIdentity(), startedAt: "1" })).toBe("dead");
    expect(livenessOf({ ...ownIdentity(), host: "boot:elsewhere" })).toBe("unknown");
  });

  it("calls a stopped process alive and a killed one dead", async () => {
    const { child, said } = await running(TELL);
    const identity = JSON.parse(said) as ReturnType<typeof ownIdentity>;
    expect(identity.pid).toBe(child.pid);
    child.kill("SIGSTOP");
    expect(livenessOf(identity)).toBe("alive");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(livenessOf(identity)).toBe("dead");
  });

  it("calls a process dead that has exited and was not waited for", async () => {
    // The shell becomes a program that never waits for its child: a zombie, which kill(2) still finds. The child ends only
    // afterwards (its input does): the shell itself would wait for it.
    const script = "exec 3<&0; cat <&3 >&2 & echo $!; exec sleep 1000 >&-";
    const parent = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "inherit"] });
    const closed = once(parent.stdout, "close");
    const [said] = (await once(parent.stdout, "data")) as [Buffer];
    await closed;
    parent.stdin.end();
    const zombie = { ...ownIdentity(), pid: Number(said.toString()), startedAt: "" };
    await expect.poll(() => livenessOf(zombie)).toBe("dead");
    expect(() => process.kill(zombie.pid, 0)).not.toThrow();
    parent.kill("SIGKILL");
    await once(parent, "exit");
  });
});
