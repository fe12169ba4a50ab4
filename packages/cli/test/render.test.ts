import { type Manifest, NO_GIT_HEAD, type SnapshotRecord } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { printError } from "../src/errors/print-error.js";
import { KeepsakeError } from "@keepsake/core";
import { printable } from "../src/output/printable.js";
import { ProgressBar, progressLine } from "../src/output/progress.js";
import { PLAIN, styleFor } from "../src/output/style.js";
import { table, widthOf } from "../src/output/table.js";
import { ageText, bytesText, clockText, timeText } from "../src/output/units.js";
import { diffText } from "../src/render/diff.js";
import { manifestText } from "../src/render/manifest.js";
import { incompleteError, missingLines, missingOf } from "../src/render/missing.js";
import { findRecord, recordTable, shortLength } from "../src/render/record.js";
import { destructiveItems, planSummary, restoreText } from "../src/render/restore.js";
import { verifyExit, verifyText } from "../src/render/verify.js";

const NOW = Date.UTC(2026, 2, 1, 12);
const DIGEST = "ab".repeat(32);

function record(id: string, more: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return {
    recordVersion: 1,
    id,
    agentId: "ana",
    tenant: "default",
    createdAtMs: NOW - 3 * 3_600_000,
    createdBy: "keepsake",
    bundlePath: `tenants/default/snapshots/ana/${id}.tar.zst`,
    bundleSizeBytes: 1_572_864,
    bundleSha256: DIGEST,
    fileSha256: DIGEST,
    manifestSeal: DIGEST,
    schemaVersions: {},
    encrypted: false,
    redactionsApplied: false,
    codecs: ["zstd"],
    artifactCount: 12,
    complete: true,
    ...more,
  };
}

const A = "01998f3e-0000-7000-8000-000000000001";
const B = "01998f3e-0000-7000-8000-0000000000f2";
const C = "01998f3f-0000-7000-8000-000000000003";

function manifest(more: Partial<Manifest> = {}): Manifest {
  return {
    manifestVersion: 1,
    bundleFormat: "keepsake-bundle-v1",
    snapshotId: A,
    agentId: "ana",
    tenant: "default",
    createdAtMs: NOW - 60_000,
    createdBy: "keepsake",
    schemaVersions: { "long_term.sqlite": 7 },
    git: NO_GIT_HEAD,
    artifacts: [
      {
        pathInBundle: "memory_files/a\u001b[2Jb.md",
        kind: "memory_file",
        source: "memory_files",
        type: "file",
        sizeBytes: 2048,
        sha256: DIGEST,
        mode: 0o640,
        mtimeMs: 0,
      },
    ],
    sources: [
      {
        id: "memory_files",
        kind: "memory_file",
        status: "partial",
        required: false,
        artifacts: 1,
        bytes: 2048,
        omitted: 2,
      },
      { id: "sqlite", kind: "sqlite", status: "absent", required: true, artifacts: 0, bytes: 0, omitted: 0 },
    ],
    omitted: [
      { source: "memory_files", path: "run.sock", reason: "special_file" },
      { source: "memory_files", path: "secret.md", reason: "unreadable", code: "E_PERMISSION" },
    ],
    cut: { consistency: "instant", attempts: 1, heldMs: 0.25, startedAtMs: NOW },
    toolVersions: { keepsake: "0.1.0" },
    bundleSha256: DIGEST,
    seal: { algorithm: "sha256", digest: DIGEST },
    ...more,
  };
}

describe("units", () => {
  it("writes sizes with three significant digits at most, and never 1024 of a unit", () => {
    expect([0, 1023, 1024, 1536, 102_400, 1_048_575, 5 * 1024 ** 3].map(bytesText)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "100 KiB",
      "1.0 MiB",
      "5.0 GiB",
    ]);
  });

  it("writes ages, times and durations", () => {
    expect([0, 500, 42_000, 90_000, 3 * 3_600_000, 50 * 86_400_000].map((ms) => ageText(NOW - ms, NOW))).toEqual([
      "just now",
      "just now",
      "42 s ago",
      "1 min ago",
      "3 h ago",
      "1 mo ago",
    ]);
    expect(ageText(NOW + 60_000, NOW)).toBe("in the future");
    expect(timeText(NOW)).toBe("2026-03-01 12:00:00Z");
    expect(timeText(Number.MAX_VALUE)).toBe("?");
    expect([0, 7, 750, 3723].map(clockText)).toEqual(["0:00", "0:07", "12:30", "1:02:03"]);
  });
});

describe("tables", () => {
  it("aligns by columns on the screen, drops empty columns, and leaves nothing at line ends", () => {
    const columns = [{ head: "NAME" }, { head: "EMPTY" }, { head: "N", align: "right" as const }, { head: "LAST" }];
    const text = table(
      columns,
      [
        ["日本", "", "7", "x"],
        ["abc", "", "12", ""],
      ],
      PLAIN,
    );
    expect(text).toBe("NAME   N  LAST\n日本   7  x\nabc   12\n");
    expect(widthOf("\u001b[31mab\u001b[39m")).toBe(2);
  });

  it("lets no control or bidirectional character of a name reach the terminal", () => {
    expect(printable("a\u001b[2Jb\u202ec\n")).toBe("a\\u{1b}[2Jb\\u{202e}c\\u{a}");
  });
});

describe("colours", () => {
  it("are on for a terminal alone, and off with NO_COLOR or --no-color", () => {
    const red = (stream: { isTTY?: boolean }, env: Record<string, string>, wanted = true) =>
      styleFor(stream, env, wanted).red("x");
    expect(red({ isTTY: true }, {})).toBe("\u001b[31mx\u001b[39m");
    expect(red({}, {})).toBe("x");
    expect(red({ isTTY: true }, { NO_COLOR: "1" })).toBe("x");
    expect(red({ isTTY: true }, { NO_COLOR: "" })).not.toBe("x");
    expect(red({ isTTY: true }, {}, false)).toBe("x");
    expect(red({ isTTY: true }, { TERM: "dumb" })).toBe("x");
  });
});

describe("progress", () => {
  it("shows phase, share, bytes, rate and the time left", () => {
    const line = progressLine({ phase: "stage", bytesDone: 50 * 1024 ** 2, bytesTotal: 200 * 1024 ** 2 }, 2_000, 120);
    expect(line).toBe("stage  [######------------------]   25%  50.0 MiB of 200 MiB  25.0 MiB/s  ETA 0:06");
    expect(progressLine({ phase: "pack", bytesDone: 1024 }, 1_000, 120)).toBe("pack  1.0 KiB  1.0 KiB/s");
    expect(progressLine({ phase: "a".repeat(200), bytesDone: 0 }, 0, 40)).toHaveLength(39);
  });

  it("draws nothing in the first second, redraws at most ten times a second, and clears its line", () => {
    const written: string[] = [];
    const stream = { columns: 80, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    let now = 0;
    const bar = new ProgressBar(stream, () => now);
    const at = (ms: number, phase = "stage") => {
      now = ms;
      bar.update({ phase, bytesDone: ms, bytesTotal: 10_000 });
    };
    at(10);
    at(999);
    bar.clear();
    expect(written).toEqual([]);
    at(1_200);
    at(1_250);
    at(1_290);
    expect(written).toHaveLength(1);
    at(1_310);
    at(1_311, "pack");
    expect(written).toHaveLength(3);
    bar.clear();
    bar.clear();
    expect(written.slice(3)).toEqual(["\r\u001b[K"]);
  });
});

describe("records", () => {
  it("shortens ids only as far as they stay apart", () => {
    expect(shortLength([A])).toBe(8);
    expect(shortLength([A, C])).toBe(8);
    expect(shortLength([A, B, C])).toBe(35);
  });

  it("lists them with size, age, label and what is special", () => {
    const rows = [record(C, { label: "x\u001by", encrypted: true, complete: false }), record(A, { verifiedAtMs: NOW })];
    const text = recordTable(rows, false, NOW, PLAIN);
    expect(text).toContain(
      "01998f3f  2026-03-01 09:00:00Z  3 h ago  1.5 MiB         12  x\\u{1b}y  encrypted, incomplete",
    );
    expect(text).not.toContain("AGENT ");
    expect(text.split("\n")[2]).toMatch(/^01998f3e .* verified$/);
    const proven = record(A, { verifiedAtMs: NOW, provenAtMs: NOW - 3 * 86_400_000, provenRestoreMs: 1_234 });
    expect(recordTable([proven], false, NOW, PLAIN)).toMatch(/ proven 3 d ago \(restores in 1\.2 s\)\n/);
    expect(recordTable(rows, true, NOW, PLAIN)).toMatch(/ default +ana /);
  });

  it("finds what a reference means only when it means one", () => {
    const records = [record(C), record(B), record(A)];
    expect(findRecord(records, "latest")?.id).toBe(C);
    expect(findRecord(records, "latest~2")?.id).toBe(A);
    expect(findRecord(records, "latest~3")).toBeUndefined();
    expect(findRecord(records, "01998f3f")?.id).toBe(C);
    expect(findRecord(records, "01998f3e")).toBeUndefined();
    expect(findRecord([record(C)], "019")).toBeUndefined();
  });
});

describe("manifests", () => {
  it("are readable, and hostile names in them are harmless", () => {
    const text = manifestText(manifest(), NOW, PLAIN);
    expect(text).toContain("a\\u{1b}[2Jb.md");
    expect(text).not.toContain("\u001b");
    expect(text).toContain("-0640");
    expect(text).toContain("instant (1 attempt, writers held 0.3 ms)");
    expect(text).toContain("long_term.sqlite 7");
    expect(text).not.toContain("git HEAD");
    expect(text).toContain("the snapshot is incomplete");
  });

  it("name what makes a snapshot incomplete, and not what was left out for good reason", () => {
    const missing = missingOf(manifest());
    expect(missing).toEqual([
      { source: "sqlite", path: "", reason: "absent" },
      { source: "memory_files", path: "secret.md", reason: "unreadable", code: "E_PERMISSION" },
    ]);
    expect(missingLines(missing)).toEqual([
      "  the whole source sqlite: absent",
      "  memory_files/secret.md: unreadable (E_PERMISSION)",
    ]);
    expect(incompleteError(A, missing)).toMatchObject({ code: "E_INCOMPLETE", context: { snapshot_id: A, missing } });
  });
});

describe("reports", () => {
  const report = { bundle: "b.tar.zst", ok: true, schemaVersions: {}, ageProtected: false };

  it("of a verification are three-valued, and end with the code that fits", () => {
    const checks = [
      { name: "file_digest", status: "ok" as const },
      { name: "decode", status: "not_checked" as const, detail: "no identity" },
    ];
    expect(verifyText({ ...report, checks }, PLAIN)).toBe(
      "b.tar.zst\nfile_digest  ok\ndecode       not checked  no identity\nNo check failed, 1 could not be made.\n",
    );
    expect(verifyExit({ ...report, checks }, false)).toBe(0);
    expect(verifyExit({ ...report, ageProtected: true, checks }, false)).toBe(0);
    expect(verifyExit({ ...report, ageProtected: true, checks }, true)).toBe(12);
    const failed = (code?: string) => ({
      name: "x",
      status: "failed" as const,
      ...(code === undefined ? {} : { code }),
    });
    expect(verifyExit({ ...report, ok: false, checks: [failed()] }, false)).toBe(4);
    expect(verifyExit({ ...report, ok: false, checks: [failed("E_FORMAT_TOO_NEW")] }, false)).toBe(6);
    expect(verifyExit({ ...report, ok: false, checks: [failed("E_DECRYPT")] }, false)).toBe(12);
    expect(verifyExit({ ...report, ok: false, checks: [failed("E_DECRYPT"), failed("E_TRUNCATED")] }, false)).toBe(4);
    expect(verifyExit({ ...report, ok: false, checks: [] }, false)).toBe(12);
  });

  it("of a restore say what changes, and only replacing and deleting destroys", () => {
    const plan = [
      { source: "memory_files", action: "create" as const, path: "a.md" },
      { source: "memory_files", action: "delete" as const, path: "b.md" },
      { source: "memory_files", action: "set_attributes" as const, path: "c.md" },
      { source: "sqlite", action: "replace" as const, path: "d.sqlite", detail: "2 tables" },
    ];
    expect(destructiveItems(plan).map((item) => item.path)).toEqual(["b.md", "d.sqlite"]);
    expect(planSummary(plan)).toBe("1 created, 1 replaced, 1 deleted, 1 given other attributes");
    const restored = {
      agentId: "ana",
      from: A,
      sqliteRestoredDbs: ["d.sqlite"],
      stateFilesRestored: [],
      workersRestarted: false,
      notices: [],
      plan,
    };
    const dry = restoreText({ ...restored, dryRun: true }, PLAIN);
    expect(dry).toContain("  ~ sqlite/d.sqlite  2 tables\n");
    expect(dry).toContain("nothing was changed yet");
    expect(restoreText({ ...restored, dryRun: true, plan: [] }, PLAIN)).toContain("would change nothing.");
    expect(restoreText({ ...restored, dryRun: false, preSnapshot: B }, PLAIN)).toContain(
      `Undo with: keepsake restore --agent ana ${B}`,
    );
    expect(restoreText({ ...restored, dryRun: false }, PLAIN)).toContain("cannot be undone");
  });

  it("of a difference are summed up by source", () => {
    const base = { a: A as never, b: B as never };
    expect(diffText({ ...base, sources: [{ id: "git", kind: "git", items: [], summary: {} }] }, PLAIN)).toMatch(
      /no difference\.\n$/,
    );
    const items = [
      { path: "a.md", change: "changed" as const, details: { linesAdded: 3, linesRemoved: 0 } },
      { path: "b.md", change: "added" as const },
    ];
    const text = diffText(
      { ...base, sources: [{ id: "memory_files", kind: "memory_file", items, summary: { filesAdded: 1 } }] },
      PLAIN,
    );
    expect(text).toContain("memory_files  files added 1\n  ~ a.md  lines added 3\n  + b.md\n");
  });
});

describe("errors for people", () => {
  it("say what happened, what to do, and the code; and where only when asked", () => {
    const error = new KeepsakeError("E_LOCKED", "Another\u001b operation runs.", {
      hint: "Wait.",
      cause: new Error("deep"),
    });
    expect(printError(error, PLAIN, false)).toBe("error: Another\\u{1b} operation runs. [E_LOCKED]\nhint: Wait.\n");
    expect(printError(error, PLAIN, true)).toMatch(/ {4}at [\s\S]*caused by Error: deep/);
  });

  it("give every problem of a configuration a line", () => {
    const error = new KeepsakeError("E_CONFIG", "a.yaml: x: wrong\na.yaml: y: wrong", {
      context: {
        problems: [
          { file: "a.yaml", path: "x", message: "wrong" },
          { file: "b.yaml", path: "", message: "bad" },
        ],
      },
    });
    expect(printError(error, PLAIN, false)).toBe(
      "error: 2 problems [E_CONFIG]\n  a.yaml: x: wrong\n  a.yaml: y: wrong\n  b.yaml: bad\n",
    );
  });
});
