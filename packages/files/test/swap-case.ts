import { chmod, lutimes, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeTree } from "@keepsake/testkit";
import type { SwapPlan, SwapStep } from "../src/index.js";

/** A live tree, what is staged beside it, and a plan with every kind of step and of type change. */
export interface SwapCase {
  readonly live: string;
  readonly staging: string;
  readonly plan: SwapPlan;
}

const OLD = 1_600_000_000_000;

export async function swapCase(root: string): Promise<SwapCase> {
  const live = join(root, "live");
  const staging = join(root, "staging");
  const fresh = join(staging, "new");
  const undo = join(staging, "old");
  await writeTree(live, {
    "replaced.md": "old words",
    "gone.md": "gone",
    "gone-tree/a/b.md": "deep",
    "file-to-dir": "I was a file",
    "dir-to-file/inner.md": "I was inside",
    "dir-to-link/inner.md": "me too",
    "closed/kept.md": "kept",
    "closed/replaced.md": "old and closed",
    "times.md": "only my time changes",
    "emptied/only.md": "only",
  });
  await symlink("replaced.md", join(live, "link"));
  await symlink("gone-tree", join(live, "link-to-dir"));
  for (const name of ["replaced.md", "times.md", "link", "closed", "emptied"])
    await lutimes(join(live, name), OLD / 1000, OLD / 1000);
  await chmod(join(live, "closed"), 0o555);

  await mkdir(fresh, { recursive: true });
  await mkdir(undo);
  const stage = async (name: string, text: string): Promise<void> => writeFile(join(fresh, name), text);
  await stage("1", "new words");
  await stage("2", "created");
  await stage("3", "now a file");
  await stage("4", "new and closed");
  await symlink("replaced.md", join(fresh, "5"));
  await symlink("times.md", join(fresh, "6"));
  await mkdir(join(fresh, "7"));
  await stage("8", "inside what was a file");
  await mkdir(join(fresh, "9"));

  const put = (path: string, n: number): SwapStep => ({
    do: "put",
    live: join(live, path),
    staged: join(fresh, String(n)),
    undo: join(undo, `put-${String(n)}`),
  });
  const closed = { mode: 0o555, mtimeMs: OLD };
  const steps: SwapStep[] = [
    { do: "set", live: join(live, "closed"), to: { mode: 0o755, mtimeMs: OLD }, before: closed },
    { do: "remove", live: join(live, "gone.md"), undo: join(undo, "r1") },
    { do: "remove", live: join(live, "gone-tree"), undo: join(undo, "r2") },
    { do: "remove", live: join(live, "emptied/only.md"), undo: join(undo, "r3") },
    { do: "remove_dir", live: join(live, "emptied"), before: { mode: 0o755, mtimeMs: OLD } },
    { do: "make_dir", live: join(live, "made"), mode: 0o700 },
    put("replaced.md", 1),
    put("made/created.md", 2),
    put("dir-to-file", 3),
    put("closed/replaced.md", 4),
    put("dir-to-link", 5),
    put("link", 6),
    put("file-to-dir", 7),
    put("file-to-dir/inner.md", 8),
    put("link-to-dir", 9),
    {
      do: "set",
      live: join(live, "times.md"),
      to: { mode: 0o600, mtimeMs: OLD + 0.125 },
      before: { mode: 0o644, mtimeMs: OLD },
    },
    { do: "set", live: join(live, "made"), to: { mode: 0o750, mtimeMs: OLD }, before: null },
    { do: "set", live: join(live, "closed"), to: closed, before: closed },
  ];
  return { live, staging, plan: { steps } };
}
