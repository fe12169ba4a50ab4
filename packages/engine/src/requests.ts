import { type BundleStore, KeepsakeError } from "@keepsake/core";
import { z } from "zod";
import type { MemorySnapshotter, OperationOptions } from "./memory-snapshotter.js";

type Operation = keyof MemorySnapshotter;
type RequestOf<O extends Operation> = NonNullable<Parameters<MemorySnapshotter[O]>[0]>;

const text = z
  .string("must be a text")
  .min(1, "must not be empty")
  .refine((value) => !value.includes("\0"), "must not hold a NUL");
const flag = z.boolean("must be true or false").optional();
const texts = z.array(text, "must be a list of texts").optional();
const rule = z.number("must be a number").min(0, "must not be negative").optional();

/** Who it is about. Where its memory lies may always be said: one object then serves all requests of an agent. */
const agent = { agent: text, tenant: text.optional(), memory: text.optional() };
const maybeAgent = { agent: text.optional(), tenant: text.optional() };
const identityFiles = texts;
const byRef = { ref: text, bundleFile: z.undefined().optional() };
const byFile = { ref: z.undefined().optional(), bundleFile: text };

const syncStore = z.strictObject({
  name: text,
  store: z.custom<BundleStore>((value) => typeof value === "object" && value !== null, { error: "must be a store" }),
});

const restoring = {
  ...agent,
  identityFiles,
  // None selected is nothing to restore, and not everything.
  only: z.array(z.string("must be a text"), "must be a list of texts").min(1, "must select something").optional(),
  ...{ dryRun: flag, preSnapshot: flag, live: flag, acceptRedacted: flag, difference: flag },
};

/** What each operation is asked. A key that is misspelt is refused: `dry_run: true` must not restore. */
const SCHEMAS: { readonly [O in Operation]: z.ZodType<RequestOf<O>> } = {
  snapshot: z.strictObject({
    ...agent,
    ...{
      label: z.string("must be a text").optional(),
      createdBy: z.string("must be a text").optional(),
      recipients: texts,
    },
    ...{ redact: flag, requireClean: flag, allowPartial: flag, full: flag, skipUnchanged: flag },
  }),
  restore: z.union([z.strictObject({ ...restoring, ...byRef }), z.strictObject({ ...restoring, ...byFile })]),
  list: z.strictObject(maybeAgent),
  show: z.strictObject({ ...agent, ref: text, identityFiles }),
  verify: z.union([
    z.strictObject({ ...agent, ref: text, deep: flag, identityFiles, bundleFile: z.undefined().optional() }),
    z.strictObject({ ...byFile, agent: z.undefined().optional(), identityFiles }),
  ]),
  diff: z.strictObject({ ...agent, from: text, to: text, identityFiles }),
  delete: z.strictObject({ ...agent, ref: text, identityFiles }),
  export: z.strictObject({
    ...{ ...agent, ref: text, to: text, recipients: texts, identityFiles },
    ...{ redact: flag, requireClean: flag },
  }),
  import: z.strictObject({ ...agent, bundleFile: text, identityFiles }),
  scan: z.union([
    z.strictObject({ ...agent, ref: text.optional(), identityFiles }),
    z.strictObject({ memory: text, tenant: text.optional(), identityFiles }),
    z.strictObject({ bundleFile: text, tenant: text.optional(), identityFiles }),
    z.strictObject({ textFile: text, tenant: text.optional(), identityFiles }),
  ]),
  rules: z.strictObject({ tenant: text.optional() }),
  prune: z.strictObject({
    ...maybeAgent,
    dryRun: flag,
    keep: z
      .strictObject({
        ...{ last: rule, maxAgeDays: rule, withinDays: rule },
        ...{ hourly: rule, daily: rule, weekly: rule, monthly: rule, yearly: rule },
      })
      .optional(),
  }),
  recover: z.strictObject(maybeAgent),
  doctor: z.strictObject({ reindex: flag, identityFiles }),
  sync: z.strictObject({
    stores: z.tuple([syncStore, syncStore], "must be two stores"),
    ...maybeAgent,
    dryRun: flag,
    deep: flag,
  }),
};

/**
 * The request as it is, once it is known to be one.
 *
 * @throws KeepsakeError `E_USAGE` with every problem at once; no value is repeated, for it may be a secret
 */
export function checkedRequest(operation: Operation, request: unknown = {}): object {
  if (!isObject(request)) throw wrong(operation, "request", ["must be an object"]);
  const { error } = SCHEMAS[operation].safeParse(request);
  if (error === undefined) return request;
  throw wrong(operation, "request", problemsOf(error.issues, request));
}

/** The options as they are, once they are known to be some. @throws KeepsakeError `E_USAGE` */
export function checkedOptions(operation: Operation, options: unknown = {}): OperationOptions {
  if (!isObject(options)) throw wrong(operation, "options", ["must be an object"]);
  const { error } = OPTIONS.safeParse(options);
  if (error === undefined) return options;
  throw wrong(operation, "options", problemsOf(error.issues, options));
}

/** What more a caller hands on is not for us to refuse: these options travel through other libraries. */
const OPTIONS = z.object({
  signal: z
    .custom<AbortSignal>((value) => isObject(value) && "aborted" in value && "addEventListener" in value, {
      error: "must be an AbortSignal",
    })
    .optional(),
  onProgress: z.custom<() => void>((value) => typeof value === "function", { error: "must be a function" }).optional(),
});

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(operation: Operation, what: "request" | "options", problems: readonly string[]): KeepsakeError {
  const verb = what === "options" ? "are" : "is";
  return new KeepsakeError("E_USAGE", `The ${what} of ${operation} ${verb} wrong: ${problems.join("; ")}.`, {
    context: { operation, problems: [...problems] },
  });
}

type Issue = z.core.$ZodIssue;

function problemsOf(issues: readonly Issue[], asked: object): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === "invalid_union") return unionProblems(issue.errors, asked);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => `${[...issue.path, key].join(".")} is not known`);
    }
    return [`${issue.path.join(".")} ${issue.message}`];
  });
}

/** Of a request that may be of two kinds: what is wrong with the kind that it is. */
function unionProblems(kinds: readonly (readonly Issue[])[], asked: object): string[] {
  const has = (key: string): boolean => (asked as Readonly<Record<string, unknown>>)[key] !== undefined;
  const [ofStore = [], ofFile = []] = kinds;
  if (kinds.length > 2) {
    const which = ["agent", "memory", "bundleFile", "textFile"].findIndex(has);
    return which < 0 ? ["it needs agent, memory, bundleFile or textFile"] : problemsOf(kinds[which] ?? [], asked);
  }
  if (has("ref") === has("bundleFile")) return ["it needs either ref or bundleFile"];
  return problemsOf(has("bundleFile") ? ofFile : ofStore, asked);
}
