import { isPairName, isPairValue, pairRoleOf } from "./name-and-value.js";

/** Values of one object, what they are called, and how many cuts there were before it: none lies between the two. */
export interface Pair {
  readonly names: string[];
  /** where the values stand, within their quotes */
  readonly values: (readonly [start: number, end: number])[];
  readonly cuts: number;
}

/** More of them in one object are no pair, but a list. */
const MOST_NAMES = 4;
const MOST_VALUES = 64;

/** Members of objects of which one says what another one is: `{"key": "API_TOKEN", "value": "…"}`, in whatever order. */
export class JsonPairs {
  /** of each object and array around, if there is anything; an array of values has its object's */
  readonly #around: (Pair | undefined)[] = [];

  beginObject(): void {
    this.#around.push(undefined);
  }

  /** @param name of the array, if it is a member */
  beginArray(name: string | undefined, cuts: number): void {
    const isOfValues = name !== undefined && pairRoleOf(name) === "value";
    this.#around.push(isOfValues ? this.#pair(cuts) : this.#around.at(-1));
  }

  end(): void {
    this.#around.pop();
  }

  clear(): void {
    this.#around.length = 0;
  }

  /**
   * Takes note of a string.
   *
   * @param name of the member; else of the array that it is in
   */
  note(
    name: string,
    isMember: boolean,
    text: string,
    range: readonly [start: number, end: number],
    cuts: number,
  ): void {
    const role = pairRoleOf(name);
    if (role === "value" && isPairValue(text)) this.#pair(cuts)?.values.push(range);
    else if (role === "name" && isMember && isPairName(text)) this.#pair(cuts)?.names.push(text);
  }

  /** Of the object that ends now: values, and what they are called. @param own the name that the object has itself */
  told(own: string): Pair | undefined {
    const pair = this.#around.at(-1);
    if (pair === undefined || pair.values.length === 0) return undefined;
    const names = own === "" ? pair.names : [own, ...pair.names];
    if (names.length === 0 || names.length > MOST_NAMES || pair.values.length > MOST_VALUES) return undefined;
    return { ...pair, names };
  }

  #pair(cuts: number): Pair | undefined {
    const last = this.#around.length - 1;
    return last < 0 ? undefined : (this.#around[last] ??= { names: [], values: [], cuts });
  }
}
