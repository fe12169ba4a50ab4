import type { Preset } from "@keepsake/core";

const DATABASES = ["long_term", "vector", "concepts", "compactions"];
const STATE = ["extract_cursor", "dream_run"];

/**
 * A database lies at the top of the memory directory under its own name; one that is not there is reported. Databases of
 * other names come along: copied as plain files, they would not be safe to put back while a process has them open.
 */
const files = DATABASES.map((name) => `${name}.sqlite`);

export const nexo: Preset = {
  description:
    "Four databases by name (long_term, vector, concepts, compactions) and any other, the notes with their git repository, and the state values extract_cursor and dream_run from the folder state.",
  sources: [
    {
      use: "sqlite",
      required: files,
      kinds: Object.fromEntries(DATABASES.map((name) => [`${name}.sqlite`, `sqlite_${name}`])),
    },
    { use: "git" },
    // The state provider looks after these: as memory files they would be put back a second time.
    { use: "memdir", exclude: STATE.map((key) => `state/${key}.json`) },
  ],
  state: [{ use: "json-file", keys: Object.fromEntries(STATE.map((key) => [key, `{memory}/state/${key}.json`])) }],
};
