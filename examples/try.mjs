import { rm } from "node:fs/promises";
import { join } from "node:path";
import { codecConformance, lockConformance, checkConformance, memoryLocks } from "@keepsake/testkit";
import { zstd } from "@keepsake/zstd";
import { age, generateIdentity } from "@keepsake/age";
import { fileLocks } from "@keepsake/local-fs";
import { gzip } from "./gzip-codec/gzip-codec.mjs";
const me = await generateIdentity(),
  you = await generateIdentity();
const suites = {
  memlocks: lockConformance({
    create() {
      const locks = memoryLocks();
      return { locks, other: null, lose: (n) => locks.lose(n) };
    },
  }),
  filelocks: lockConformance({
    create(dir) {
      return {
        locks: fileLocks({ root: dir, leaseMs: 300 }),
        other: fileLocks({ root: dir, leaseMs: 300 }),
        lose: (n) => rm(join(dir, `${n}.lock`), { recursive: true }),
      };
    },
  }),
  gzip: codecConformance({ create: () => ({ codec: gzip, deterministic: true, others: null }) }),
  zstd: codecConformance({ create: () => ({ codec: zstd(), deterministic: true, others: null }) }),
  age: codecConformance({
    create: () => ({
      codec: age({ recipients: [me.recipient], identities: [me.identity] }),
      deterministic: false,
      others: { keyless: age({ recipients: [me.recipient] }), stranger: age({ identities: [you.identity] }) },
    }),
  }),
};
for (const n of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(suites)) {
  let t = performance.now();
  const r = await checkConformance(suites[n], {
    limitMs: 60000,
    onResult: (x) => {
      const d = performance.now() - t;
      t = performance.now();
      if (d > 700 || x.status === "failed") console.log(n, x.id, x.status, Math.round(d), x.error?.stack ?? "");
    },
  });
  console.log(n, r.results.length, r.ok);
}
