import { parse } from "yaml";
import type { Detection } from "./detect.js";

/** What the configuration is written for. */
export interface TemplateFacts {
  readonly agent: string;
  /** as it stands in the file: relative to it where it lies below, else absolute */
  readonly memory: string;
  readonly detection: Detection;
  /** the file itself lies in the memory: its state must not */
  readonly insideMemory: boolean;
}

/** A text as YAML has it in one line: plain where that means the same, else as JSON, which YAML 1.2 reads. */
const scalar = (text: string): string =>
  /^[./a-z][\w./@-]*$/i.test(text) && parse(text) === text ? text : JSON.stringify(text);

/** A text that the configuration's variables leave alone. */
const literal = (text: string): string => text.split("${").join("$${");

function foundText({ databases, hasGit, files, more }: Detection): string {
  const parts = [
    databases.length === 0
      ? "no database"
      : `${String(databases.length)} database(s): ${databases.slice(0, 5).join(", ")}`,
    hasGit ? "a git repository" : "no git repository",
    `${more ? "more than " : ""}${String(files - databases.length)} other file(s)`,
  ];
  // A name may hold a line break, which would end the comment.
  return JSON.stringify(parts.join("; ")).slice(1, -1);
}

function stateRootText(insideMemory: boolean): string {
  const what = "# Locks, journals, staging, and the local store.";
  if (!insideMemory) return `${what}\n# state_root: ./state`;
  return `${what} Not beside this file, which lies in the memory itself: the\n# snapshots would be captured in the next snapshot.\nstate_root: \${XDG_DATA_HOME:-~/.local/share}/keepsake`;
}

/**
 * The text of a first configuration: what was found, and every other key as a comment with its default. Taking away the
 * "# " before a key gives a configuration that means the same.
 */
export function configTemplate({ agent, memory, detection, insideMemory }: TemplateFacts): string {
  return `# Keepsake configuration. Paths are relative to this file; \${VAR} and \${VAR:-default} are replaced;
# {agent} and {tenant} are filled in per agent. Check it with: keepsake config check
# Found: ${foundText(detection)}
version: 1

agents:
  ${scalar(agent)}:
    memory: ${scalar(literal(memory))}
#   "*": { memory: "./agents/{agent}" }          # a template for every other agent

# What an agent's memory consists of: directory | nexo | langgraph-sqlite | mcp-memory | claude-code | a plugin's.
# Chosen because: ${JSON.stringify(detection.reason).slice(1, -1)}
preset: ${detection.preset}

# What is commented out below shows the default.

${stateRootText(insideMemory)}

# Package names, or files that begin with "./".
# plugins: []

# Instead of the preset: the sources one by one, each may stand several times with an id of its own.
# sources:
#   - { use: sqlite, include: ["**/*.db"], required: [long_term.sqlite] }
#   - { use: git }
#   - { use: memdir, exclude: ["node_modules/**", "*.tmp"], max_file_bytes: null }

# Runtime values that live outside the memory.
# state:
#   - { use: json-file, keys: { extract_cursor: ./run/cursor.json, dream_run: ./run/dream.json } }

# How the one instant is reached. allow: instant | fenced | best_effort, the weakest that is accepted.
# cut: { attempts: 5, hold_timeout_ms: 250, allow: instant }

# Secrets found in texts are replaced by [REDACTED:<rule>].
# redaction: { default: true, policies: [default], mode: redact }

# age is added when encryption is on. keepsake keygen makes an identity and prints its recipient.
# codecs: [{ use: zstd, level: 3 }]
# encryption: { enabled: false, recipients: [], identity_file: null, private_labels: false }

# stores:
#   primary: { use: local-fs, root: ./state }
# lock: { timeout_secs: 60, lease_secs: 60 }

# snapshot: { verify_after: none, full_read_every: 10, skip_unchanged: false }
# restore: { pre_snapshot: true, verify_after: stored }
# limits: { max_manifest_bytes: 67108864, max_bundle_bytes: null }

# What "keepsake prune" keeps; also keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly.
# retention: { keep_count: 30, max_age_days: 90, interval_secs: 3600 }

# events: { publishers: [] }
# log: { level: info, format: text }             # text | json
`;
}
