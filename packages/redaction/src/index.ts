export { default as redactionPlugin } from "./plugin.js";
export { defaultPolicy, rulePolicy } from "./rule-policy.js";
export { DEFAULT_RULES } from "./rules/default-rules.js";
export { type ExpandedSample, expandSample } from "./sample.js";
export { ASSIGNED, secretPattern, type SecretRule, START } from "./secret-rule.js";
