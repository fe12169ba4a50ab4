import { errnoOf } from "@keepsake/core";
import { type PluginPart, pluginFailure } from "./plugin-call.js";

/**
 * A part that a plugin made, behind which everything it throws carries the plugin's name: from its methods, from the
 * sessions they open, and from what those iterate. A system error (it has an `errno`) passes as it is: the engine says what
 * was being done.
 *
 * A proxy, and not an object of the same shape: optional members stay as absent as they are.
 */
export function guardedPart<T extends object>(part: T, who: PluginPart): T {
  return new Proxy(part, {
    get(target, key) {
      // With the part itself as receiver and as `this`: private members know no proxy.
      const member: unknown = Reflect.get(target, key, target);
      // What a codec does with frames is a part in itself.
      if (key === "frames" && typeof member === "object" && member !== null) return guardedPart(member, who);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        try {
          return guardedResult(Reflect.apply(member, target, args), who);
        } catch (error) {
          throw failureOf(error, who);
        }
      };
    },
  });
}

function guardedResult(result: unknown, who: PluginPart): unknown {
  if (typeof result !== "object" || result === null) return result;
  if (result instanceof Promise) {
    return result.then(
      (value: unknown) => guardedResult(value, who),
      (error: unknown) => {
        throw failureOf(error, who);
      },
    );
  }
  if (Symbol.asyncIterator in result) return guardedIteration(result as AsyncIterable<unknown>, who);
  // A session, or what holds something: plain answers (plans, facts, differences) have nothing that could throw later.
  return Symbol.asyncDispose in result ? guardedPart(result, who) : result;
}

async function* guardedIteration(items: AsyncIterable<unknown>, who: PluginPart): AsyncGenerator {
  try {
    yield* items;
  } catch (error) {
    throw failureOf(error, who);
  }
}

function failureOf(error: unknown, who: PluginPart): unknown {
  return errnoOf(error) === undefined ? pluginFailure(error, who) : error;
}
