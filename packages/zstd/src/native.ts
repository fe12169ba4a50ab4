import { createRequire } from "node:module";
import type * as bindingsModule from "@mongodb-js/zstd";

/** The native library's two one-shot functions; both work on the libuv thread pool. */
export type NativeZstd = Pick<typeof bindingsModule, "compress" | "decompress">;

let loaded: { readonly native: NativeZstd | undefined } | undefined;

/** The native library, or undefined where it has no binary for this machine. Loaded at the first call. */
export function loadNative(): NativeZstd | undefined {
  loaded ??= { native: tryLoad() };
  return loaded.native;
}

function tryLoad(): NativeZstd | undefined {
  try {
    // The package's main module drops the level (its wrapper takes the data alone); the bindings behind it do not.
    const bindings: unknown = createRequire(import.meta.url)("@mongodb-js/zstd/bindings.js");
    return isNative(bindings) ? bindings : undefined;
  } catch {
    return undefined;
  }
}

function isNative(value: unknown): value is NativeZstd {
  return typeof value === "object" && value !== null && "compress" in value && "decompress" in value;
}
