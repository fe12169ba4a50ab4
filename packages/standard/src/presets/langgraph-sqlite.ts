import type { Preset } from "@keepsake/core";

export const langgraphSqlite: Preset = {
  description:
    "The checkpoint databases of LangGraph's SqliteSaver: every SQLite database in the directory, and nothing else of it, which is the program's own.",
  sources: [{ use: "sqlite", exclude: ["**/node_modules/**", "**/.venv/**", "**/venv/**"] }],
};
