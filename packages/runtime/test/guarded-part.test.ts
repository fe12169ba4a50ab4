import { KeepsakeError } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { guardedPart } from "../src/kernel/guarded-part.js";

const WHO = { plugin: "acme", part: "source provider acme" };
const BOOM = new Error("boom");
const failed = {
  code: "E_PLUGIN_FAILED",
  cause: BOOM,
  context: WHO,
  message: expect.stringContaining("acme") as string,
};

class Session {
  #disposed = false;
  get disposed(): boolean {
    return this.#disposed;
  }
  async *entries(): AsyncGenerator<number> {
    yield 1;
    throw BOOM;
  }
  fence(): string {
    throw BOOM;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
  }
}

describe("what a plugin's part throws", () => {
  const part = guardedPart(
    {
      id: "x",
      open: async () => new Session(),
      fails: async () => {
        throw BOOM;
      },
      typed: async () => {
        throw new KeepsakeError("E_LIMIT", "too much");
      },
      system: async () => {
        throw Object.assign(new Error("EIO"), { code: "EIO", syscall: "read" });
      },
      aborted: async () => {
        throw new DOMException("stopped", "AbortError");
      },
      plan: async () => ({ changes: [1] }),
    },
    WHO,
  );

  it("carries its name, from methods and from the sessions they open", async () => {
    await expect(part.fails()).rejects.toMatchObject(failed);
    const session = await part.open();
    const seen: number[] = [];
    const iterate = async () => {
      for await (const item of session.entries()) seen.push(item);
    };
    await expect(iterate()).rejects.toMatchObject(failed);
    expect(seen).toEqual([1]);
    expect(() => session.fence()).toThrow(expect.objectContaining(failed));
    await session[Symbol.asyncDispose]();
    expect(session.disposed).toBe(true);
  });

  it("stays what it is when it is typed, the system's, or an abort", async () => {
    await expect(part.typed()).rejects.toMatchObject({ code: "E_LIMIT", context: { plugin: "acme" } });
    await expect(part.system()).rejects.toMatchObject({ code: "EIO" });
    await expect(part.aborted()).rejects.toMatchObject({ name: "AbortError" });
  });

  it("changes nothing else: values, plain answers, and members that are not there", async () => {
    expect(part.id).toBe("x");
    expect(await part.plan()).toEqual({ changes: [1] });
    expect("close" in part).toBe(false);
  });
});
