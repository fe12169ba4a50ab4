import { definePlugin } from "@keepsake/core";
import { claudeCode } from "./presets/claude-code.js";
import { directory } from "./presets/directory.js";
import { langgraphSqlite } from "./presets/langgraph-sqlite.js";
import { mcpMemory } from "./presets/mcp-memory.js";
import { nexo } from "./presets/nexo.js";

/** The presets that come with Keepsake: plain data, as any plugin can bring. */
export const presetsPlugin = definePlugin({
  name: "presets",
  api: 1,
  presets: {
    directory,
    nexo,
    "langgraph-sqlite": langgraphSqlite,
    "mcp-memory": mcpMemory,
    "claude-code": claudeCode,
  },
});
