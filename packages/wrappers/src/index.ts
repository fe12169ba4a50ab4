export { readOnly } from "./read-only.js";
export { SYSTEM_TIME, type Time } from "./time.js";
export { type RetryOptions, withRetry } from "./with-retry.js";
export { type TimeoutOptions, withTimeout } from "./with-timeout.js";
