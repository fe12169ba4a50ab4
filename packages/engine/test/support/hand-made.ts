import { createHash } from "node:crypto";
import { pack } from "tar-stream";

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");

/** A tar entry as a hostile or careless program would write it. */
export interface RawEntry {
  readonly name: string;
  readonly type?: "file" | "link" | "symlink" | "directory" | "character-device" | "fifo";
  readonly linkname?: string;
  readonly content?: string;
}

/** A tar archive of exactly these entries, in this order. */
export async function rawArchive(entries: readonly RawEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, type = "file", linkname, content = "" } of entries) {
    const header = { name, type, mode: 0o644, mtime: new Date(0), ...(linkname === undefined ? {} : { linkname }) };
    archive.entry({ ...header, size: Buffer.byteLength(content) }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a manifest says of one artifact; the rest follows from the content. */
export interface DeclaredArtifact {
  readonly path: string;
  readonly content?: string;
  readonly type?: "file" | "symlink" | "directory";
  readonly linkTarget?: string;
  readonly override?: Record<string, unknown>;
}

/** RFC 8785 for the plain data used here: sorted keys, no exotic numbers or strings. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}

/** A manifest's text, sealed independently of the code under test. */
export function handMadeManifest(
  artifacts: readonly DeclaredArtifact[],
  override: Record<string, unknown> = {},
): string {
  const declared = artifacts.map(({ path, content = "", type = "file", linkTarget, override: more }) => ({
    path_in_bundle: path,
    kind: "memory_file",
    source: /^[^/]+(?=\/)/.exec(path)?.[0] ?? "memory_files",
    type,
    size_bytes: type === "file" ? Buffer.byteLength(content) : 0,
    sha256: sha256(type === "file" ? content : (linkTarget ?? "")),
    mode: 0o644,
    mtime_ms: 0,
    ...(linkTarget === undefined ? {} : { link_target: linkTarget }),
    ...more,
  }));
  const body = {
    manifest_version: 1,
    bundle_format: "keepsake-bundle-v1",
    snapshot_id: "01890a5d-ac96-774b-bcce-b302099a8057",
    agent_id: "ana",
    tenant: "default",
    created_at_ms: 1_700_000_000_000,
    created_by: "a test",
    schema_versions: {},
    git: { head_oid: "0".repeat(40), head_subject: "(none)", head_author: "nobody", head_ts_ms: 0 },
    artifacts: declared,
    tool_versions: {},
    bundle_sha256: sha256(declared.map((artifact) => artifact.sha256).join("")),
    ...override,
  };
  return JSON.stringify({ ...body, seal: { algorithm: "sha256", digest: sha256(canonical(body)) } });
}

/** A whole archive: the manifest and what it declares, unless other entries are given. */
export function handMadeBundle(artifacts: readonly DeclaredArtifact[], entries?: readonly RawEntry[]): Promise<Buffer> {
  const manifest = { name: "manifest.json", content: handMadeManifest(artifacts) };
  const own = artifacts.map(({ path, content = "", type = "file", linkTarget }) => ({
    name: path,
    type,
    content: type === "file" ? content : "",
    ...(linkTarget === undefined ? {} : { linkname: linkTarget }),
  }));
  return rawArchive([manifest, ...(entries ?? own)]);
}
