import "reflect-metadata";
// eslint-disable-next-line no-restricted-imports -- to show what it does
import { container as globalContainer, inject, injectable } from "tsyringe";
import { describe, expect, it } from "vitest";

// What the container does when it is left alone. Each is a reason for something the kernel does itself; when one of
// these tests fails with a new version, that part of the kernel may go.

describe("tsyringe alone", () => {
  it("loses the class, the code and the cause of an injected dependency's error", () => {
    class CodedError extends Error {
      readonly code = "E_X";
    }
    const container = globalContainer.createChildContainer();
    container.register("dependency", {
      useFactory: () => {
        throw new CodedError("deep", { cause: "why" });
      },
    });
    class User {
      constructor(readonly dependency: unknown) {}
    }
    inject("dependency")(User, undefined, 0);
    injectable()(User);
    const error = thrownBy(() => container.resolve(User));
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(CodedError);
    expect(error).not.toHaveProperty("code");
    expect((error as Error).cause).toBeUndefined();
  });

  it("takes a second registration of one token in silence", () => {
    const container = globalContainer.createChildContainer();
    container.registerInstance("name", "first");
    container.registerInstance("name", "second");
    expect(container.resolve("name")).toBe("second");
  });

  it("gives out the promise of an asynchronous factory", () => {
    const container = globalContainer.createChildContainer();
    container.register("late", { useFactory: async () => "value" });
    expect(container.resolve("late")).toBeInstanceOf(Promise);
  });

  it("does not dispose a value that it was given", async () => {
    let disposed = false;
    const container = globalContainer.createChildContainer();
    container.registerInstance("value", { dispose: () => (disposed = true) });
    container.resolve("value");
    await container.dispose();
    expect(disposed).toBe(false);
  });

  it("takes an undefined value for no registration", () => {
    const container = globalContainer.createChildContainer();
    expect(() => {
      container.registerInstance("nothing", undefined);
      container.resolve("nothing");
    }).toThrow();
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}
