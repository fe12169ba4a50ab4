import { CLOCK, definePlugin, LOGGER, type Resolver, STORE_TROUBLES, storeProvider, storeToken } from "@keepsake/core";
import { z } from "zod";

const DAY_MS = 86_400_000;
const name = z.string().min(1);
const stallSecs = z
  .number()
  .positive()
  .max(3600)
  .default(120)
  .describe("Seconds without a sign after which a store counts as down.");

const replicatedOptions = z
  .strictObject({
    stores: z.array(name).min(2).describe("The names of the stores that hold the copies."),
    write: z
      .union([z.literal("all"), z.strictObject({ quorum: z.int().min(1) })], {
        error: 'expected "all" or { quorum: <number> }',
      })
      .default("all")
      .describe("How many stores have to take what is written."),
    read: z
      .union([z.literal("nearest"), z.array(name).min(1)], { error: 'expected "nearest" or a list of stores' })
      .optional()
      .describe("Which store is read first; default: as they are listed."),
    stall_secs: stallSecs,
  })
  .superRefine(({ stores, write, read }, context) => {
    const twice = stores.findIndex((store, index) => stores.indexOf(store) !== index);
    if (twice >= 0) context.addIssue({ code: "custom", path: ["stores", twice], message: "is there twice" });
    if (write !== "all" && write.quorum > stores.length) {
      const message = `a quorum of ${write.quorum} cannot be had of ${stores.length} stores`;
      context.addIssue({ code: "custom", path: ["write", "quorum"], message });
    }
    if (!Array.isArray(read)) return;
    for (const [index, store] of read.entries()) {
      if (stores.includes(store)) continue;
      context.addIssue({ code: "custom", path: ["read", index], message: `is none of ${stores.join(", ")}` });
    }
  });

const tieredOptions = z
  .strictObject({
    hot: name.describe("The store in which what is new is put."),
    cold: name.describe("The store to which what is old is moved."),
    after_days: z.number().nonnegative().describe("How old what is moved is."),
    stall_secs: stallSecs,
  })
  .refine(({ hot, cold }) => hot !== cold, { path: ["cold"], message: "is the store that is hot" });

/** What both take from their place in the configuration. */
function common(resolver: Resolver, id: string | undefined, stallSeconds: number) {
  return {
    ...(id === undefined ? {} : { id }),
    stallMs: stallSeconds * 1000,
    logger: resolver.get(LOGGER),
    tell: resolver.get(STORE_TROUBLES),
  };
}

/** Several stores of the configuration as one, as `replicated` and `tiered`. */
export default definePlugin({
  name: "replicated",
  api: 1,
  providers: [
    storeProvider("replicated", {
      options: replicatedOptions,
      needs: ({ stores }) => stores.map(storeToken),
      async create({ stores, write, read, stall_secs }, resolver, { id }) {
        const { replicated } = await import("./replicated.js");
        return replicated({
          ...common(resolver, id, stall_secs),
          stores: stores.map((store) => resolver.get(storeToken(store))),
          write,
          ...(read === undefined ? {} : { read }),
        });
      },
    }),
    storeProvider("tiered", {
      options: tieredOptions,
      needs: ({ hot, cold }) => [storeToken(hot), storeToken(cold)],
      async create({ hot, cold, after_days, stall_secs }, resolver, { id }) {
        const { tiered } = await import("./tiered.js");
        return tiered({
          ...common(resolver, id, stall_secs),
          hot: resolver.get(storeToken(hot)),
          cold: resolver.get(storeToken(cold)),
          afterMs: after_days * DAY_MS,
          clock: resolver.get(CLOCK),
        });
      },
    }),
  ],
});
