import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  definePlugin,
  fromSystemError,
  LOGGER,
  type RedactionPolicy,
  redactionProvider,
  type Resolver,
  SECRETS,
  secretRefSchema,
} from "@keepsake/core";
import { z } from "zod";
import { governedPolicy } from "./governed-policy.js";

const texts = z.array(z.string().min(1));

const governance = {
  allow: z
    .strictObject({
      paths: texts.optional().describe("Globs of files in which nothing is redacted."),
      rules: texts.optional().describe("Ids of rules that are not applied."),
      columns: texts.optional().describe("`table.column` of databases in which nothing is redacted."),
      values: z
        .array(z.string().regex(/^[0-9a-fA-F]{8,64}$/, "expected 8 to 64 hex digits of the value's keyed hash"))
        .optional()
        .describe("Keyed hashes of values that stay, as keyed replacements show them; needs `token_key`."),
    })
    .optional()
    .describe("What is found and yet stays."),
  tokens: z
    .enum(["plain", "keyed"])
    .default("plain")
    .describe("plain: [REDACTED:rule]; keyed: with eight hex digits by which equal secrets are known again."),
  token_key: secretRefSchema.optional().describe("A reference to the key of these digits."),
};

const needsKey = {
  message: "`tokens: keyed` and `allow.values` need a `token_key`",
  check: ({ tokens, token_key: key, allow }: Governed) =>
    key !== undefined || (tokens !== "keyed" && (allow?.values ?? []).length === 0),
};

const governed = z.strictObject(governance);
type Governed = z.infer<typeof governed>;

const rulesOptions = governed
  .extend({
    personal: z.boolean().default(false).describe("Also e-mail addresses, telephone, account and card numbers."),
  })
  .refine(needsKey.check, needsKey.message);
const personalOptions = governed.refine(needsKey.check, needsKey.message);
const timeoutMs = z
  .int()
  .min(10)
  .max(600_000)
  .default(10_000)
  .describe("The longest its rules may take over a mebibyte.");
const gitleaksOptions = governed
  .extend({
    file: z.string().min(1).describe("A gitleaks.toml with rules of your own."),
    timeout_ms: timeoutMs,
  })
  .refine(needsKey.check, needsKey.message);

const secretlintOptions = governed
  .extend({
    rules: texts
      .min(1)
      .optional()
      .describe("Packages of rules or presets, installed beside the configuration; default: the recommended preset."),
    timeout_ms: timeoutMs,
  })
  .refine(needsKey.check, needsKey.message);

async function govern(policy: RedactionPolicy, options: Governed, resolver: Resolver): Promise<RedactionPolicy> {
  const { allow, tokens, token_key: ref } = options;
  const key = ref === undefined ? undefined : await resolver.get(SECRETS).read(ref);
  return governedPolicy(policy, {
    ...(allow === undefined
      ? {}
      : { allow: Object.fromEntries(Object.entries(allow).filter(([, list]) => list !== undefined)) }),
    ...(key === undefined ? {} : { key }),
    keyedTokens: tokens === "keyed",
  });
}

/** The policies `default`, `personal`, `gitleaks` and `secretlint`. */
export default definePlugin({
  name: "redaction",
  api: 1,
  providers: [
    redactionProvider("default", {
      options: rulesOptions,
      needs: [SECRETS],
      async create(options, resolver) {
        const { rulePolicy } = await import("./rule-policy.js");
        const { DEFAULT_RULES } = await import("./rules/default-rules.js");
        const personal = options.personal ? (await import("./personal-data.js")).PERSONAL_RULES : [];
        return govern(rulePolicy("default", [...DEFAULT_RULES, ...personal]), options, resolver);
      },
    }),
    redactionProvider("personal", {
      options: personalOptions,
      needs: [SECRETS],
      async create(options, resolver) {
        const { rulePolicy } = await import("./rule-policy.js");
        const { PERSONAL_RULES } = await import("./personal-data.js");
        return govern(rulePolicy("personal", PERSONAL_RULES), options, resolver);
      },
    }),
    redactionProvider("gitleaks", {
      options: gitleaksOptions,
      needs: [SECRETS, LOGGER],
      async create({ file, timeout_ms: timeoutMs, ...options }, resolver, { baseDir }) {
        const { gitleaksPolicy } = await import("./gitleaks/gitleaks-policy.js");
        const path = resolve(baseDir, file);
        const text = await readFile(path, "utf8").catch((error: unknown) => {
          throw fromSystemError(error, `The rules in ${path} cannot be read.`);
        });
        const policy = gitleaksPolicy(text, { name: path, timeoutMs });
        for (const { rule, reason } of policy.untranslated)
          resolver.get(LOGGER).warn("a rule of gitleaks is not applied", { file: path, rule, reason });
        return Object.assign(await govern(policy, options, resolver), {
          [Symbol.dispose]: () => policy[Symbol.dispose](),
        });
      },
    }),
    redactionProvider("secretlint", {
      options: secretlintOptions,
      needs: [SECRETS],
      async create({ rules, timeout_ms: timeoutMs, ...options }, resolver, { baseDir }) {
        const { secretlintPolicy } = await import("./secretlint/secretlint-policy.js");
        const own = rules === undefined ? {} : { packages: rules, from: baseDir };
        const policy = secretlintPolicy({ ...own, timeoutMs });
        return Object.assign(await govern(policy, options, resolver), {
          [Symbol.dispose]: () => policy[Symbol.dispose](),
        });
      },
    }),
  ],
});
