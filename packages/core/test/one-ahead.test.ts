import { expect, it } from "vitest";
import { OneAhead } from "../src/async/one-ahead.js";

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Numbers from 1, and what became of them. */
class Numbers implements AsyncIterable<number> {
  asked = 0;
  closed = 0;
  readonly #count: number;
  readonly #failure: Error | undefined;

  /** @param failure what comes in place of one number more */
  constructor(count: number, failure?: Error) {
    this.#count = count;
    this.#failure = failure;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    try {
      for (let next = 1; next <= this.#count; next++) {
        this.asked += 1;
        await settled();
        yield next;
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      this.closed += 1;
    }
  }
}

it("gives all items in their order, each asked for while the one before it is worked on", async () => {
  const numbers = new Numbers(3);
  const ahead = new OneAhead(numbers);
  expect(numbers.asked).toBe(1);
  const taken: [number, number][] = [];
  for await (const number of ahead) {
    await settled();
    await settled();
    taken.push([number, numbers.asked]);
  }
  expect(taken).toEqual([
    [1, 2],
    [2, 3],
    [3, 3],
  ]);
  expect(numbers.closed).toBe(1);
  expect(await ahead.next()).toEqual({ done: true, value: undefined });
});

it("tells of a failure where it stands, and to nobody before that", async () => {
  const failure = new Error("broken");
  const ahead = new OneAhead(new Numbers(1, failure));
  expect(await ahead.next()).toEqual({ done: false, value: 1 });
  // An unhandled rejection would make this run fail.
  await settled();
  await settled();
  await expect(ahead.next()).rejects.toBe(failure);
});

it("closes its input once, whoever leaves: before the first item, at an item, or while one is awaited", async () => {
  const unused = new Numbers(3);
  await new OneAhead(unused).return();
  expect([unused.asked, unused.closed]).toEqual([1, 1]);
  const left = new Numbers(3);
  for await (const _number of new OneAhead(left)) break;
  expect(left.closed).toBe(1);
  const over = new Numbers(1, new Error("broken"));
  const ahead = new OneAhead(over);
  await ahead.next();
  await ahead.return();
  expect(over.closed).toBe(1);
  expect(await ahead.next()).toEqual({ done: true, value: undefined });
});
