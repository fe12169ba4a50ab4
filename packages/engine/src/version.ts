import { createRequire } from "node:module";

const { version } = createRequire(import.meta.url)("@keepsake/engine/package.json") as { version: string };

/** The version of this program, as manifests and records name it. */
export const ENGINE_VERSION = version;
