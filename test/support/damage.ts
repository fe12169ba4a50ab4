import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { age, generateIdentity, identityFileText } from "@keepsake/age";
import { isKeepsakeError, sha256Hex, streamOf } from "@keepsake/core";
import type { VerifyReport } from "@keepsake/engine";
import { collect, treeDigest, writeTree } from "@keepsake/testkit";
import { zstd } from "@keepsake/zstd";
import { expect } from "vitest";
import { type KeepsakeCase, keepsakeCase } from "./keepsake-case.js";

/** A small real bundle in a file, the archive it holds, and a Keepsake that may look at it. */
export interface DamageCase extends AsyncDisposable {
  readonly bundle: Uint8Array;
  /** writes a file in the bundle's place, with the `.sha256` of the original or of what is written */
  place(bytes: Uint8Array, digest: "original" | "recomputed"): Promise<void>;
  verify(): Promise<VerifyReport>;
  /** true when a restore was refused with a typed error and nothing live changed */
  restoreIsRefused(): Promise<boolean>;
  /** true when `bytes` still decode to exactly the original archive */
  holdsTheOriginal(bytes: Uint8Array): Promise<boolean>;
}

/** @param encrypted with the identity at hand: what is changed is then looked into, not only at */
export async function damageCase(encrypted: boolean): Promise<DamageCase> {
  const box = await keepsakeCase({ sources: [{ use: "memdir" }], restore: { pre_snapshot: false } });
  await writeTree(box.memory, {
    "note.md": "# What I know\n",
    latest: { link: "note.md" },
    empty: { directory: true },
  });
  const key = box.temp.join("key.txt");
  const identity = await generateIdentity();
  await writeFile(key, identityFileText(identity, new Date(0)), { mode: 0o600 });
  const recipients = encrypted ? [identity.recipient] : undefined;
  const { record } = await box.keepsake.snapshot({ agent: "ana", recipients });
  const { open } = await bundleOf(box, record.bundlePath);
  const bundle = await open();
  await mkdir(box.temp.join("sent"));
  const file = box.temp.join("sent", basename(record.bundlePath));
  const identityFiles = encrypted ? [key] : [];
  const decode = (bytes: Uint8Array) => {
    const limit = { maxOutputBytes: 1 << 24 };
    const opened = encrypted ? age({ identityFiles }).decode(streamOf(bytes), limit) : streamOf(bytes);
    return collect(zstd().decode(opened, limit));
  };
  const archive = await decode(bundle);
  await writeTree(box.memory, { "note.md": "live\n", "new.md": "live\n" });
  const live = await treeDigest(box.memory);
  return {
    bundle,
    async place(bytes, digest) {
      await writeFile(file, bytes);
      await writeFile(`${file}.sha256`, `${sha256Hex(digest === "original" ? bundle : bytes)}\n`);
    },
    verify: () => box.keepsake.verify({ bundleFile: file, identityFiles }),
    async restoreIsRefused() {
      const refused = await box.keepsake.restore({ agent: "ana", bundleFile: file, identityFiles }).then(
        () => false,
        (error: unknown) => isKeepsakeError(error) && error.code !== "E_INTERNAL",
      );
      expect(await treeDigest(box.memory)).toEqual(live);
      expect(Object.keys(await treeDigest(box.stateRoot)).filter((path) => /^staging\/.*\/.*\//.test(path))).toEqual(
        [],
      );
      return refused;
    },
    async holdsTheOriginal(bytes) {
      const found = await decode(bytes).catch(() => undefined);
      return found !== undefined && Buffer.from(found).equals(archive);
    },
    [Symbol.asyncDispose]: () => box[Symbol.asyncDispose](),
  };
}

async function bundleOf({ keepsake, temp }: KeepsakeCase, bundlePath: string) {
  const to = temp.join("exported");
  await mkdir(to);
  const { bundle } = await keepsake.export({ agent: "ana", ref: "latest", to });
  expect(basename(bundle)).toBe(basename(bundlePath));
  return { open: () => readFile(bundle) };
}

/** Every single-byte change of `bytes` that a mask makes, and every cut; `step` leaves positions out. */
export function* damages(
  bytes: Uint8Array,
  masks: readonly number[],
  step = 1,
): Generator<{ what: string; bytes: Uint8Array }> {
  for (let at = 0; at < bytes.length; at += step) {
    for (const mask of masks) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ mask;
      yield { what: `byte ${String(at)} ^ ${String(mask)}`, bytes: changed };
    }
    yield { what: `cut at ${String(at)}`, bytes: bytes.subarray(0, at) };
  }
  yield { what: "a byte more", bytes: Buffer.concat([bytes, Buffer.from([0])]) };
  yield { what: "twice", bytes: Buffer.concat([bytes, bytes]) };
}
