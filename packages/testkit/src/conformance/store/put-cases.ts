import { HashedStream, digestOf } from "@keepsake/core";
import { chunked } from "../../streams.js";
import { bodyThat, gathered, longBody, noise } from "../bodies.js";
import { check, failsWith, same, sameBytes } from "../expectations.js";
import { MAX_HELD_BYTES, MemoryWatch } from "../memory-watch.js";
import type { PortCase } from "../port-case.js";
import type { StoreSubject } from "./store-subject.js";
import { bytesOf, expectInvisible, keysIn, objectsIn, textOf } from "./store-tools.js";

const MIB = 1024 * 1024;
const KEY = "tenants/default/object.bin";
/** Two parts of the usual 16 MiB with their copies. What holds a whole object of 64 MiB is above it. */

export const PUT_CASES: readonly PortCase<StoreSubject>[] = [
  {
    id: "store.put.round-trip",
    says: "What was put is read back byte for byte, and `put`, `get`, `head` and `list` tell the same facts of it.",
    async run({ store }) {
      const bytes = noise(300_001);
      const put = await store.put(KEY, chunked(bytes, 65_536));
      same([put.key, put.sizeBytes], [KEY, bytes.length], "`put` answers key and size.");
      check(put.modifiedAtMs > 1e12, "`modifiedAtMs` is in milliseconds since 1970.");
      const { object, body } = await store.get(KEY);
      sameBytes(await gathered(body), bytes, "What is read is not what was put.");
      const facts = { key: KEY, sizeBytes: put.sizeBytes, modifiedAtMs: put.modifiedAtMs };
      for (const [from, told] of [
        ["get", object],
        ["head", await store.head(KEY)],
        ["list", (await objectsIn(store))[0]],
      ] as const) {
        same(told && { ...facts, ...told }, facts, `\`${from}\` tells other facts than \`put\`.`);
      }
    },
  },
  {
    id: "store.put.empty",
    says: "An empty object is stored, found and read as an empty one, from no chunk at all and from empty chunks.",
    async run({ store }) {
      for (const [key, chunks] of [
        ["none", []],
        ["some", [new Uint8Array(0), new Uint8Array(0)]],
      ] as const) {
        const put = await store.put(
          key,
          bodyThat(chunks, () => undefined),
        );
        same(put.sizeBytes, 0, "`put` answers the size of an empty object.");
        same((await store.head(key))?.sizeBytes, 0, "`head` answers the size of an empty object.");
        same((await bytesOf(store, key)).length, 0, "An empty object is read as one.");
      }
    },
  },
  {
    id: "store.put.chunks",
    says: "A body may come one byte at a time, with empty chunks between, or as one huge chunk.",
    async run({ store }) {
      const small = noise(3_000, 2);
      const huge = noise(12 * MIB, 3);
      await store.put("bytes", chunked(small, 1));
      await store.put(
        "gaps",
        bodyThat([small.subarray(0, 9), new Uint8Array(0)], () => undefined, [small.subarray(9)]),
      );
      await store.put("huge", chunked(huge));
      sameBytes(await bytesOf(store, "bytes"), small, "A body of single bytes is read otherwise.");
      sameBytes(await bytesOf(store, "gaps"), small, "A body with an empty chunk is read otherwise.");
      sameBytes(await bytesOf(store, "huge"), huge, "A body of one huge chunk is read otherwise.");
    },
  },
  {
    id: "store.put.invisible",
    says: "Until `put` resolves nobody sees anything of the object; then all of it.",
    async run({ store }) {
      const part = noise(6 * MIB, 4);
      const look = (): Promise<void> => expectInvisible(store, KEY, "before `put` has resolved");
      await store.put(
        KEY,
        (async function* () {
          await look();
          for (let count = 0; count < 3; count++) {
            yield part;
            await look();
          }
        })(),
      );
      sameBytes(await bytesOf(store, KEY), Buffer.concat([part, part, part]), "The object is not whole.");
      same(await keysIn(store), [KEY], "The object is not listed.");
    },
  },
  {
    id: "store.put.no-overwrite",
    says: "A key that exists is refused with E_ALREADY_EXISTS, and its object stays as it was.",
    async run({ store }) {
      const before = await store.put(KEY, chunked("the first"));
      await failsWith("E_ALREADY_EXISTS", store.put(KEY, chunked("the second")), "A second `put` under one key.");
      same(await textOf(store, KEY), "the first", "The object was changed by a `put` that was refused.");
      same((await store.head(KEY))?.sizeBytes, before.sizeBytes, "Its facts were changed.");
    },
  },
  {
    id: "store.put.race",
    says: "Of 16 writers of one new key exactly one wins, the others get E_ALREADY_EXISTS, and the object is the winner's.",
    needs: {
      capability: "atomic",
      async inverse(subject) {
        const { winners, object, bodies } = await race(subject);
        check(winners.length >= 1, "None of 16 writers of one key has won.");
        check(
          winners.some((winner) => bodies[winner] === object),
          "The object is none that was put whole.",
        );
      },
    },
    async run(subject) {
      const { winners, object, bodies } = await race(subject);
      same(winners.length, 1, `${winners.length} of 16 writers of one key were told that they have won.`);
      check(bodies[winners[0] ?? -1] === object, "The object is not that of the writer who was told to have won.");
    },
  },
  {
    id: "store.put.parallel",
    says: "Sixteen objects put at the same time are each whole.",
    async run({ store }) {
      const bodies = Array.from({ length: 16 }, (_none, index) => noise(200_000 + index, index + 10));
      await Promise.all(bodies.map((body, index) => store.put(`parallel/${index}`, chunked(body, 10_007))));
      for (const [index, body] of bodies.entries()) {
        sameBytes(await bytesOf(store, `parallel/${index}`), body, `Object ${index} of 16 differs.`);
      }
    },
  },
  {
    id: "store.put.stream",
    says: "An object of 64 MiB (with `large` of 5 GiB) goes in as a stream and comes out the same.",
    async run({ store }, { streamBytes }) {
      const sent = new HashedStream(longBody(streamBytes));
      const put = await store.put(KEY, sent);
      same(put.sizeBytes, sent.digest.sizeBytes, "`put` answers another size.");
      same(await digestOf((await store.get(KEY)).body), sent.digest, "What comes out is not what went in.");
    },
  },
  {
    id: "store.put.bounded-memory",
    says: "Of an object twice as long `put` and `get` hold less than 96 MiB at any time.",
    needs: {
      capability: "boundedMemory",
      async inverse({ store }) {
        const sent = new HashedStream(longBody(4 * MIB));
        await store.put(KEY, sent);
        same(await digestOf((await store.get(KEY)).body), sent.digest, "What comes out is not what went in.");
      },
    },
    async run({ store }, { streamBytes }) {
      const watch = new MemoryWatch(8);
      await store.put(KEY, longBody(2 * streamBytes, watch.look));
      for await (const _chunk of (await store.get(KEY)).body) watch.look();
      const grown = Math.round(watch.grownBytes / MIB);
      check(watch.grownBytes < MAX_HELD_BYTES, `${grown} MiB more were held while an object passed through.`);
    },
  },
];

async function race({ store }: StoreSubject) {
  const bodies = Array.from({ length: 16 }, (_none, writer) => `${writer};`.repeat(4_000 + writer));
  const outcomes = await Promise.allSettled(bodies.map((body) => store.put(KEY, chunked(body, 997))));
  const winners = outcomes.flatMap(({ status }, writer) => (status === "fulfilled" ? [writer] : []));
  for (const outcome of outcomes) {
    if (outcome.status === "rejected")
      await failsWith("E_ALREADY_EXISTS", Promise.reject(outcome.reason as Error), "One that lost the race.");
  }
  return { bodies, winners, object: await textOf(store, KEY) };
}
