import type { Preset } from "@keepsake/core";

export const mcpMemory: Preset = {
  description:
    "The knowledge graph of @modelcontextprotocol/server-memory: memory.jsonl, or memory.json of its older versions, in the directory that MEMORY_FILE_PATH leads to.",
  sources: [{ use: "memdir", include: ["/memory.jsonl", "/memory.json"], required: true }],
};
