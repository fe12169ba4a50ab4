import type { Preset } from "@keepsake/core";

/** The default: what is in the directory decides. */
export const directory: Preset = {
  description:
    "Everything in the memory directory: files that begin like SQLite are databases, .git is the repository, the rest are memory files.",
  sources: [{ use: "sqlite" }, { use: "git" }, { use: "memdir" }],
};
