import type { SecretRule } from "../secret-rule.js";
import { NAMED_RULES } from "./assignments.js";
import { CHAT_RULES } from "./chat.js";
import { CLOUD_RULES } from "./cloud.js";
import { CODE_HOST_RULES } from "./code-hosts.js";
import { ADDRESS_RULES } from "./databases.js";
import { WORD_RULES } from "./foreign-words.js";
import { HOSTING_RULES } from "./hosting.js";
import { HTTP_RULES } from "./http.js";
import { MODEL_PROVIDER_RULES } from "./model-providers.js";
import { OBSERVABILITY_RULES } from "./observability.js";
import { PAYMENT_RULES } from "./payment.js";
import { PRIVATE_KEY_RULES } from "./private-keys.js";
import { WORKSPACE_RULES } from "./workspaces.js";

/** The rules of the policy "default". Where two find the very same range the earlier one names it. */
export const DEFAULT_RULES: readonly SecretRule[] = [
  ...PRIVATE_KEY_RULES,
  ...MODEL_PROVIDER_RULES,
  ...CLOUD_RULES,
  ...HOSTING_RULES,
  ...CODE_HOST_RULES,
  ...CHAT_RULES,
  ...WORKSPACE_RULES,
  ...PAYMENT_RULES,
  ...OBSERVABILITY_RULES,
  ...HTTP_RULES,
  ...ADDRESS_RULES,
  ...WORD_RULES,
  ...NAMED_RULES,
];
