import { definePlugin } from "@keepsake/core";

/** What Aria, an agent program that does not exist, keeps in the memory directory of each of its agents. */
const aria = {
  description: "Aria: databases in brain/, a diary under git, one file of open tasks; its cache is left out.",
  memory: "~/.aria/agents/{agent}",
  sources: [
    { use: "sqlite", root: "brain", required: ["facts.db"] },
    { use: "git", root: "diary" },
    { use: "memdir", exclude: ["cache/**", "*.tmp", "run/cursor.json"] },
  ],
  state: [{ use: "json-file", keys: { cursor: "{memory}/run/cursor.json" } }],
};

export default definePlugin({ name: "aria", api: 1, presets: { aria } });
