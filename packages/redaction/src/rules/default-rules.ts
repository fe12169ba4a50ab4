import type { SecretRule } from "../secret-rule.js";
import { AWS_ACCESS_KEY_ID, AWS_SECRET_KEY } from "./cloud.js";
import { GITHUB_TOKEN, SLACK_TOKEN } from "./collaboration.js";
import { BEARER_TOKEN, JSON_WEB_TOKEN } from "./http.js";
import { ANTHROPIC_KEY, OPENAI_KEY } from "./model-providers.js";

/** The rules of the policy "default". Where two find the very same range the earlier one names it. */
export const DEFAULT_RULES: readonly SecretRule[] = [
  ANTHROPIC_KEY,
  OPENAI_KEY,
  AWS_ACCESS_KEY_ID,
  AWS_SECRET_KEY,
  GITHUB_TOKEN,
  SLACK_TOKEN,
  JSON_WEB_TOKEN,
  BEARER_TOKEN,
];
