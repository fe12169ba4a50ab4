import { expect, test } from "vitest";

type Counts = Record<string, number>;
interface Comparison {
  compareCounts: (expected: Record<string, Counts>, seen: Record<string, Counts>) => Record<string, string[]>;
}
interface Counting {
  countsOf: (trace: string, within: string) => Counts;
}

const bench = (file: string): string => new URL(`../bench/counts/${file}`, import.meta.url).href;
const { compareCounts } = (await import(bench("compare.mjs"))) as Comparison;
const { countsOf } = (await import(bench("count-calls.mjs"))) as Counting;

const expected = { first: { syncs: 32, "files opened": 7_430, "bytes written": 5_000 } };

test("a count that has doubled is named, with what it was", () => {
  const { failures } = compareCounts(expected, { first: { ...expected.first, syncs: 64 } });
  expect(failures).toEqual(["first: syncs have doubled: 64 now, 32 before."]);
});

test("a count that was nothing and is something has doubled", () => {
  const { failures } = compareCounts({ verify: { syncs: 0 } }, { verify: { syncs: 1 } });
  expect(failures).toHaveLength(1);
});

test("what differs between machines is no failure", () => {
  const { failures, gains } = compareCounts(expected, {
    first: { syncs: 63, "files opened": 9_000, "bytes written": 90_000 },
  });
  expect([failures, gains]).toEqual([[], []]);
});

test("a count that has halved is told, and passes", () => {
  const { failures, gains } = compareCounts(expected, { first: { ...expected.first, "files opened": 3_700 } });
  expect(failures).toEqual([]);
  expect(gains).toEqual(["first: files opened have halved: 3,700 now, 7,430 before."]);
});

test("what is not written down is not passed over", () => {
  const { failures } = compareCounts(expected, { unchanged: { syncs: 1 } });
  expect(failures).toEqual(["unchanged: syncs are not written down: there are 1."]);
});

test("calls are counted once, below the folder, also when another thread interrupts them", () => {
  const trace = `
10 execve("/usr/bin/node", ["node", "keepsake.js"], 0x7ffc /* 35 vars */) = 0
10 openat(AT_FDCWD, "/lib/libc.so.6", O_RDONLY|O_CLOEXEC) = 3
10 clone3({flags=CLONE_VM|CLONE_THREAD|CLONE_SYSVSEM, exit_signal=0} => {parent_tid=[11]}, 88) = 11
10 clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD}, 88) = 12
12 execve("/nowhere/git", ["git", "status"], 0x7ffc /* 35 vars */) = -1 ENOENT (No such file or directory)
12 execve("/usr/bin/git", ["git", "status"], 0x7ffc /* 35 vars */) = 0
11 openat(AT_FDCWD, "/tmp/bench/memory/note.md", O_RDONLY <unfinished ...>
10 fsync(17 <unfinished ...>
11 <... openat resumed>) = 18
10 <... fsync resumed>) = 0
12 openat(AT_FDCWD, ".git/HEAD", O_RDONLY) = 3
12 openat(AT_FDCWD, "/tmp/bench-of-others/note.md", O_RDONLY) = 3
`;
  expect(countsOf(trace, "/tmp/bench")).toEqual({ "files opened": 2, syncs: 1, processes: 2, threads: 1 });
});
