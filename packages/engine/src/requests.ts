import { type BundleStore, KeepsakeError } from "@keepsake/core";
import { z } from "zod";
import type { MemorySnapshotter } from "./memory-snapshotter.js";

type Operation = keyof MemorySnapshotter;
type RequestOf<O extends Operation> = NonNullable<Parameters<MemorySnapshotter[O]>[0]>;

const text = z.string().min(1);
const flag = z.boolean().optional();
const texts = z.array(text).optional();
const rule = z.number().min(0).optional();

/** Who it is about. Where its memory lies may always be said: one object then serves all requests of an agent. */
const agent = { agent: z.string(), tenant: z.string().optional(), memory: text.optional() };
const identityFiles = texts;
const byRef = { ref: z.string(), bundleFile: z.undefined().optional() };
const byFile = { ref: z.undefined().optional(), bundleFile: text };

const syncStore = z.strictObject({
  name: text,
  store: z.custom<BundleStore>((value) => typeof value === "object" && value !== null, { error: "must be a store" }),
});

const restoring = {
  ...agent,
  identityFiles,
  // None selected is nothing to restore, and not everything.
  only: z.array(z.string()).min(1).optional(),
  ...{ dryRun: flag, preSnapshot: flag, live: flag, acceptRedacted: flag, difference: flag },
};

/** What each operation is asked. A key that is misspelt is refused: `dry_run: true` must not restore. */
const SCHEMAS: { readonly [O in Operation]: z.ZodType<RequestOf<O>> } = {
  snapshot: z.strictObject({
    ...agent,
    ...{ label: z.string().optional(), createdBy: z.string().optional(), recipients: texts },
    ...{ redact: flag, allowPartial: flag },
  }),
  restore: z.union([z.strictObject({ ...restoring, ...byRef }), z.strictObject({ ...restoring, ...byFile })]),
  list: z.strictObject({ agent: z.string().optional(), tenant: z.string().optional() }),
  show: z.strictObject({ ...agent, ref: z.string(), identityFiles }),
  verify: z.union([
    z.strictObject({ ...agent, ref: z.string(), deep: flag, identityFiles, bundleFile: z.undefined().optional() }),
    z.strictObject({ ...byFile, agent: z.undefined().optional(), identityFiles }),
  ]),
  diff: z.strictObject({ ...agent, from: z.string(), to: z.string(), identityFiles }),
  delete: z.strictObject({ ...agent, ref: z.string(), identityFiles }),
  export: z.strictObject({ ...agent, ref: z.string(), to: text, redact: flag, recipients: texts, identityFiles }),
  import: z.strictObject({ ...agent, bundleFile: text, identityFiles }),
  prune: z.strictObject({
    agent: z.string().optional(),
    tenant: z.string().optional(),
    dryRun: flag,
    keep: z
      .strictObject({
        ...{ last: rule, maxAgeDays: rule, withinDays: rule },
        ...{ hourly: rule, daily: rule, weekly: rule, monthly: rule, yearly: rule },
      })
      .optional(),
  }),
  recover: z.strictObject({ agent: z.string().optional(), tenant: z.string().optional() }),
  doctor: z.strictObject({ reindex: flag, identityFiles }),
  sync: z.strictObject({
    stores: z.tuple([syncStore, syncStore]),
    agent: z.string().optional(),
    tenant: z.string().optional(),
    dryRun: flag,
  }),
};

/**
 * The request as it is, once it is known to be one.
 *
 * @throws KeepsakeError `E_USAGE` with every problem at once; no value is repeated, for it may be a secret
 */
export function checkedRequest<O extends Operation>(operation: O, request: RequestOf<O> | undefined): RequestOf<O> {
  const asked = request ?? {};
  const { error } = SCHEMAS[operation].safeParse(asked);
  if (error === undefined) return asked;
  const problems = problemsOf(error.issues, asked);
  throw new KeepsakeError("E_USAGE", `The request of ${operation} is wrong: ${problems.join("; ")}.`, {
    context: { operation, problems },
  });
}

type Issue = z.core.$ZodIssue;

function problemsOf(issues: readonly Issue[], asked: object): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === "invalid_union") return unionProblems(issue.errors, asked);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => `${[...issue.path, key].join(".")} is not known`);
    }
    return [`${issue.path.join(".") || "it"}: ${issue.message}`];
  });
}

/** Of a request that may be of two kinds: what is wrong with the kind that it is. */
function unionProblems(kinds: readonly (readonly Issue[])[], asked: object): string[] {
  const has = (key: string): boolean => (asked as Readonly<Record<string, unknown>>)[key] !== undefined;
  const [ofStore = [], ofFile = []] = kinds;
  if (has("ref") === has("bundleFile")) return ["it needs either ref or bundleFile"];
  return problemsOf(has("bundleFile") ? ofFile : ofStore, asked);
}
