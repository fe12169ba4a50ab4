import { fileLocks, localFs } from "@keepsake/local-fs";
import { s3Locks, s3Store } from "@keepsake/s3";
import { memoryLocks, memoryStore, tempDir } from "@keepsake/testkit";
import { lockCases } from "./support/lock-cases.js";
import { hasS3Server, s3TestPlace } from "./support/s3-server.js";
import { storeCases } from "./support/store-cases.js";

const nothing = async () => undefined;

storeCases("in memory", async () => ({ store: memoryStore(), [Symbol.asyncDispose]: nothing }));
lockCases("in memory", async () => ({ locks: memoryLocks(), [Symbol.asyncDispose]: nothing }));

storeCases("in a folder", async () => {
  const dir = await tempDir();
  return { store: localFs({ root: dir.path }), [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
});
lockCases("in a folder", async () => {
  const dir = await tempDir();
  return { locks: fileLocks({ root: dir.path }), [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
});

if (hasS3Server) {
  storeCases("on S3", async () => {
    const store = s3Store(s3TestPlace());
    return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  });
  lockCases("on S3", async () => {
    const locks = s3Locks(s3TestPlace());
    return { locks, [Symbol.asyncDispose]: () => locks[Symbol.asyncDispose]() };
  });
}
