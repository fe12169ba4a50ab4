import { createRequire } from "node:module";

const { version } = createRequire(import.meta.url)("@keepsake/redaction/package.json") as { version: string };

/** Another one may find other things by the same rules. */
export const REDACTION_VERSION = version;
