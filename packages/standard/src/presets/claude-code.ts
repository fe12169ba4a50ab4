import type { Preset } from "@keepsake/core";

/**
 * Only what is memory is named, so that what a later version puts beside it (caches, logs, transcripts) stays out. What
 * holds secrets is excluded by name as well: it then stands in the manifest as left out, and a restore leaves it alone.
 */
export const claudeCode: Preset = {
  description:
    "Claude Code's memory under the home directory: CLAUDE.md, rules, the projects' memory folders, agents, commands, skills and output styles. Credentials (.credentials.json), settings, transcripts, caches and logs are not captured.",
  memory: "~/.claude",
  sources: [
    {
      use: "memdir",
      include: [
        "/CLAUDE.md",
        "rules/**",
        "projects/*/memory/**",
        "projects/*/CLAUDE.md",
        "agents/**",
        "agent-memory/**",
        "commands/**",
        "skills/**",
        "output-styles/**",
      ],
      exclude: [".credentials.json", "settings.json", "settings.local.json", "node_modules"],
      required: true,
    },
  ],
};
