import { type HashKind, SHA1, SHA256 } from "../objects/hash-kind.js";
import { type ConfigEntry, configValue, isTrue, parseGitConfig } from "./config-file.js";
import { type FileMap, readGitText } from "./file-map.js";

/** What the configuration says of how a repository is stored. */
export interface RepositoryFormat {
  readonly kind: HashKind;
  readonly bare: boolean;
  /** a partial clone: objects may be missing, git fetches them when needed */
  readonly promisor: boolean;
  /** Why this program cannot read it: "its refs are stored as reftable"; undefined when it can. */
  readonly unsupported: string | undefined;
}

/** Reads it; a configuration that is missing or malformed counts as git's defaults. */
export function readFormat(files: FileMap): RepositoryFormat {
  const entries = parseGitConfig(readGitText(files, "config") ?? "") ?? [];
  const name = (configValue(entries, "extensions", "objectformat") ?? "sha1").toLowerCase();
  const refs = (configValue(entries, "extensions", "refstorage") ?? "files").toLowerCase();
  return {
    kind: name === "sha256" ? SHA256 : SHA1,
    bare: isTrue(configValue(entries, "core", "bare")),
    promisor: configValue(entries, "extensions", "partialclone") !== undefined || hasPromisorRemote(entries),
    unsupported: unsupportedBecause(name, refs),
  };
}

function hasPromisorRemote(entries: readonly ConfigEntry[]): boolean {
  return entries.some((e) => e.section === "remote" && e.key === "promisor" && isTrue(e.value ?? "true"));
}

function unsupportedBecause(objects: string, refs: string): string | undefined {
  if (objects !== "sha1" && objects !== "sha256") return `its object format "${objects}" is unknown`;
  if (refs !== "files") return `its refs are stored as "${refs}"`;
  return undefined;
}
