import { parseAgentId, parseTenantId, type StateItem, type StateProvider, type StateTarget } from "@keepsake/core";
import { bindSuite } from "../bind-suite.js";
import type { ConformanceCase } from "../conformance-case.js";
import { check, failsAs, isAbsent, isPlainJson, same } from "../expectations.js";
import type { PortCase, PortSuite, SubjectFactory } from "../port-case.js";

/** A state provider to be tested, with at least two keys, none of which has a value. */
export interface StateSubject {
  readonly provider: StateProvider;
  /** Sets live values as the agent's own programs do, for these keys alone. */
  readonly write: (items: readonly StateItem[], target: StateTarget) => void | Promise<void>;
}

export type StateFactory = SubjectFactory<StateSubject>;

const VALUES = [
  ...[0, -1.5, 1e21, true, false, null, "", "text", "é \u{1f600}\n\u0000", []],
  ...[{}, [[[]]], { a: { b: [1, { c: null }] } }, { "": 1, "a b": 2, é: 3 }],
  JSON.parse('{"__proto__":{"x":1},"constructor":2}') as StateItem["value"],
  "x".repeat(300_000),
];

async function captured(provider: StateProvider, target: StateTarget): Promise<StateItem[]> {
  const items: StateItem[] = [];
  for await (const item of provider.capture(target)) {
    check(!("omitted" in item), `The value of ${item.key} is not captured.`);
    items.push(item);
  }
  return items;
}

const inOrder = (items: readonly StateItem[]): StateItem[] => [...items].sort((a, b) => (a.key < b.key ? -1 : 1));

function targetIn(dir: string): StateTarget {
  return { agent: { tenant: parseTenantId("acme"), agent: parseAgentId("ana") }, paths: { memory: `${dir}/memory` } };
}

/** A case of what `restore` does; without it there is nothing to call, and what is captured stays right. */
function ofRestore(
  id: string,
  says: string,
  run: (
    subject: StateSubject & { readonly provider: StateProvider & Pick<Required<StateProvider>, "restore"> },
    target: StateTarget,
    keys: readonly [string, string],
  ) => Promise<void>,
): PortCase<StateSubject> {
  return {
    id,
    says,
    needs: {
      capability: "restore",
      async inverse({ provider }) {
        isAbsent(provider, "restore", "A provider that cannot restore has no such member.");
      },
    },
    async run(subject, { dir }) {
      const { provider } = subject;
      const restore = provider.restore?.bind(provider);
      check(restore !== undefined, "The provider has `restore`.");
      const bound = Object.assign(Object.create(provider) as StateProvider, { restore });
      await run({ ...subject, provider: bound }, targetIn(dir), keysOf(provider));
    },
  };
}

function keysOf({ keys }: StateProvider): readonly [string, string] {
  const [first, second] = keys;
  check(first !== undefined && second !== undefined, "The provider of a subject has two keys or more.");
  return [first, second];
}

const CASES: PortSuite<StateSubject>["cases"] = [
  {
    id: "state.subject",
    says: "The subject is a provider with an id and two or more keys of [a-z0-9_-]{1,64}, each once, without values.",
    async run({ provider }, { dir }) {
      check(provider.id !== "", "A provider has an id.");
      keysOf(provider);
      check(
        provider.keys.every((key) => /^[a-z0-9_-]{1,64}$/.test(key)),
        "A key is of [a-z0-9_-]{1,64}.",
      );
      same(new Set(provider.keys).size, provider.keys.length, "A key is named twice.");
      same(await captured(provider, targetIn(dir)), [], "Each case gets a provider without values.");
    },
  },
  {
    id: "state.capture",
    says: "`capture` gives the values there are, by their keys, each once; a key without a value is not given.",
    async run({ provider, write }, { dir }) {
      const [first, second] = keysOf(provider);
      await write([{ key: first, value: { at: 7 } }], targetIn(dir));
      same(await captured(provider, targetIn(dir)), [{ key: first, value: { at: 7 } }], "What is captured of one.");
      await write([{ key: second, value: [1, "two"] }], targetIn(dir));
      const both = inOrder([
        { key: first, value: { at: 7 } },
        { key: second, value: [1, "two"] },
      ]);
      same(inOrder(await captured(provider, targetIn(dir))), both, "What is captured of two.");
    },
  },
  {
    id: "state.capture.unchanged",
    says: "Capturing changes nothing: a second capture, also after one that was stopped early, gives the same.",
    async run({ provider, write }, { dir }) {
      const items = keysOf(provider).map((key) => ({ key, value: key }));
      await write(items, targetIn(dir));
      for await (const _item of provider.capture(targetIn(dir))) break;
      for (let round = 0; round < 2; round++) {
        same(inOrder(await captured(provider, targetIn(dir))), inOrder(items), "What is captured again.");
      }
    },
  },
  {
    id: "state.capture.abort",
    says: "With a signal that has fired, `capture` fails with its reason.",
    async run({ provider, write }, { dir }) {
      await write([{ key: keysOf(provider)[0], value: 1 }], targetIn(dir));
      const reason = new DOMException("stop", "AbortError");
      const capture = async (): Promise<void> => {
        for await (const _item of provider.capture(targetIn(dir), { signal: AbortSignal.abort(reason) }));
      };
      await failsAs(reason, capture(), "The signal had fired.");
    },
  },
  {
    id: "state.capture.json",
    says: "Values are plain JSON: any that JSON can hold is captured as it is.",
    async run({ provider, write }, { dir }) {
      const [key] = keysOf(provider);
      for (const value of VALUES) {
        await write([{ key, value }], targetIn(dir));
        const items = await captured(provider, targetIn(dir));
        check(isPlainJson(items), "What is captured is not plain JSON.");
        same(JSON.stringify(items), JSON.stringify([{ key, value }]), "The value that is captured.");
      }
    },
  },
  ofRestore("state.restore", "`restore` sets the values it is given.", async ({ provider }, target, keys) => {
    const items = inOrder(keys.map((key, index) => ({ key, value: { index } })));
    await provider.restore(target, items);
    same(inOrder(await captured(provider, target)), items, "What there is after a restore.");
  }),
  ofRestore(
    "state.restore.clears",
    "`restore` clears every key of the provider that it is given no value for.",
    async ({ provider, write }, target, [first, second]) => {
      const both = [first, second].map((key) => ({ key, value: "old" }));
      await write(both, target);
      await provider.restore(target, [{ key: first, value: "new" }]);
      same(await captured(provider, target), [{ key: first, value: "new" }], "What there is after a restore of one.");
      await write(both, target);
      await provider.restore(target, []);
      same(await captured(provider, target), [], "What there is after a restore of none.");
    },
  ),
  ofRestore(
    "state.restore.keep",
    "`restore` neither sets nor clears a key that it is told to keep.",
    async ({ provider, write }, target, [first, second]) => {
      await write([{ key: first, value: "old" }], target);
      await write([{ key: second, value: "kept" }], target);
      await provider.restore(target, [{ key: first, value: "new" }], { keep: [second] });
      const both = inOrder([
        { key: first, value: "new" },
        { key: second, value: "kept" },
      ]);
      same(
        inOrder(await captured(provider, target)),
        both,
        "What there is after a restore of one that keeps the other.",
      );
      await provider.restore(target, [], { keep: [second] });
      same(
        await captured(provider, target),
        [{ key: second, value: "kept" }],
        "What there is after clearing the rest.",
      );
    },
  ),
  ofRestore(
    "state.restore.twice",
    "`restore` is idempotent, and the last one counts.",
    async ({ provider }, target, [first, second]) => {
      const items = inOrder([first, second].map((key) => ({ key, value: [key] })));
      for (let round = 0; round < 2; round++) await provider.restore(target, items);
      same(inOrder(await captured(provider, target)), items, "What there is after two equal restores.");
      await provider.restore(target, [{ key: second, value: 1 }]);
      same(await captured(provider, target), [{ key: second, value: 1 }], "What there is after another restore.");
      await provider.restore(target, items);
      same(inOrder(await captured(provider, target)), items, "What there is after the first restore again.");
    },
  ),
  ofRestore("state.restore.json", "Any value that JSON can hold comes back.", async ({ provider }, target, [key]) => {
    for (const value of VALUES) {
      await provider.restore(target, [{ key, value }]);
      same(
        JSON.stringify(await captured(provider, target)),
        JSON.stringify([{ key, value }]),
        "The value that is there.",
      );
    }
  }),
  ofRestore(
    "state.restore.whole",
    "Who looks while `restore` works sees the old or the new value, never a part of one.",
    async ({ provider }, target, [key]) => {
      const versions = ["a", "b"].map((letter) => ({ text: letter.repeat(100_000) }));
      let isDone = false;
      const write = async (): Promise<void> => {
        for (let round = 0; round < 10; round++) {
          const value = versions[round % 2];
          if (value !== undefined) await provider.restore(target, [{ key, value }]);
        }
        isDone = true;
      };
      const seen = new Set<string>();
      const look = async (): Promise<void> => {
        while (!isDone) {
          for (const { value } of await captured(provider, target)) seen.add(JSON.stringify(value));
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await Promise.all([write(), look()]);
      const whole = versions.map((value) => JSON.stringify(value));
      check(
        [...seen].every((one) => whole.includes(one)),
        "A part of a value was seen.",
      );
    },
  ),
  ofRestore(
    "state.restore.abort",
    "With a signal that has fired, `restore` fails with its reason and changes nothing.",
    async ({ provider, write }, target, [first, second]) => {
      const items = inOrder([first, second].map((key) => ({ key, value: "old" })));
      await write(items, target);
      const reason = new DOMException("stop", "AbortError");
      const options = { signal: AbortSignal.abort(reason) };
      await failsAs(
        reason,
        provider.restore(target, [{ key: second, value: "new" }], options),
        "The signal had fired.",
      );
      same(inOrder(await captured(provider, target)), items, "What there is after an aborted restore.");
    },
  ),
  {
    id: "state.quiesce",
    says: "The handle of `quiesce` may be disposed twice, and the agent can be paused again; values can be read meanwhile.",
    needs: {
      capability: "quiesce",
      async inverse({ provider }) {
        isAbsent(provider, "quiesce", "A provider that cannot pause an agent has no such member.");
      },
    },
    async run({ provider, write }, { dir }) {
      const items = [{ key: keysOf(provider)[0], value: 1 }];
      await write(items, targetIn(dir));
      for (let round = 0; round < 2; round++) {
        const handle = await provider.quiesce?.(targetIn(dir));
        check(handle !== undefined, "`quiesce` gives a handle.");
        same(await captured(provider, targetIn(dir)), items, "What is captured while the agent is paused.");
        await handle[Symbol.asyncDispose]();
        await handle[Symbol.asyncDispose]();
      }
    },
  },
];

/** All promises of a {@link StateProvider}. */
export const STATE_SUITE: PortSuite<StateSubject> = {
  port: "state",
  cases: CASES,
  capabilities: ({ provider }) => ({
    restore: provider.restore !== undefined,
    quiesce: provider.quiesce !== undefined,
  }),
};

/** The cases for a state provider. */
export function stateConformance(factory: StateFactory): readonly ConformanceCase[] {
  return bindSuite(STATE_SUITE, factory);
}
