import { constants } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  abortable,
  type ArtifactSource,
  findInDocument,
  isReplaced,
  namePolicy,
  type OpOptions,
  type RedactionPolicy,
} from "@keepsake/core";
import { readChunks } from "@keepsake/files";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import type { PrivateStaging } from "../snapshot/private-staging.js";
import type { FoundSecret } from "./found-secret.js";
import { maskedSecret } from "./masked-secret.js";
import { contentReason } from "./unscanned-reason.js";
import { WatchingPolicy } from "./watching-policy.js";

/** What a look at staged artifacts found, and what could not be looked at. */
export interface SecretSearch {
  readonly findings: readonly FoundSecret[];
  readonly unscanned: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Looks for secrets in staged artifacts as a redaction would, and leaves them as they are.
 *
 * @param options `tracing`: what stands in a history is told with its line and what leads to it; people want it, counts do not
 */
export async function findSecrets(
  artifacts: readonly StagedArtifactFile[],
  sources: readonly ArtifactSource[],
  policy: RedactionPolicy,
  staging: PrivateStaging,
  { signal, tracing = false }: OpOptions & { readonly tracing?: boolean },
): Promise<SecretSearch> {
  const findings: FoundSecret[] = [];
  const unscanned: { path: string; reason: string }[] = [];
  for (const id of [...new Set(artifacts.map(({ meta }) => meta.source))]) {
    const source = sources.find((one) => one.id === id);
    const own = artifacts.filter(({ meta }) => meta.source === id);
    if (source?.redact !== undefined) {
      const watching = new WatchingPolicy(policy);
      unscanned.push(...(await watchRedaction(own, source, watching, staging, signal)));
      findings.push(...(tracing ? await watching.traced(own, source, signal) : watching.findings));
    } else if (source?.content === "opaque") {
      unscanned.push(
        ...own.flatMap(({ meta, file }) =>
          file === undefined ? [] : [{ path: meta.pathInBundle, reason: "not_text" }],
        ),
      );
    } else {
      for (const artifact of own) await findInText(artifact, policy, { findings, unscanned }, signal);
    }
    for (const { meta } of own) findings.push(...inNames(meta, policy));
  }
  return { findings, unscanned };
}

async function findInText(
  { meta, file }: StagedArtifactFile,
  policy: RedactionPolicy,
  { findings, unscanned }: { findings: FoundSecret[]; unscanned: { path: string; reason: string }[] },
  signal: AbortSignal | undefined,
): Promise<void> {
  if (file === undefined) return;
  const artifact = meta.pathInBundle;
  const found = await findInDocument(abortable(readChunks(file, 1 << 20), signal), policy, {
    path: artifact,
  });
  const reason = await contentReason(file, found.unscanned);
  if (reason !== undefined) unscanned.push({ path: artifact, reason });
  const told = new Map<string, { times: number }>();
  for (const { rule, line, secret } of found.findings ?? []) {
    // One secret in several pieces, or several times in a line, is told of once.
    if (isReplaced(secret)) continue;
    const place = JSON.stringify([line, rule, secret]);
    const known = told.get(place);
    if (known !== undefined) {
      known.times++;
      continue;
    }
    const finding = { artifact, rule, line, masked: maskedSecret(secret), times: 1 };
    told.set(place, finding);
    findings.push(finding);
  }
}

/** The path, and where a link leads to. */
function inNames(meta: StagedArtifactFile["meta"], policy: RedactionPolicy): FoundSecret[] {
  const { pathInBundle: artifact, linkTarget, source } = meta;
  if (!artifact.startsWith(`${source}/`)) return [];
  const texts = [...artifact.slice(source.length + 1).split("/"), ...(linkTarget ?? "").split("/")];
  const names = namePolicy(policy);
  return texts.flatMap((text) =>
    names.scan(text, { path: artifact }).flatMap(({ rule, start, end }) => {
      const secret = text.slice(start, end);
      return isReplaced(secret) ? [] : [{ artifact, rule, masked: maskedSecret(secret) }];
    }),
  );
}

/** Lets a source redact copies by a policy that only looks. */
async function watchRedaction(
  artifacts: readonly StagedArtifactFile[],
  source: ArtifactSource,
  policy: WatchingPolicy,
  staging: PrivateStaging,
  signal: AbortSignal | undefined,
): Promise<SecretSearch["unscanned"]> {
  const folder = await staging.folder("look");
  try {
    const copies: {
      pathInBundle: string;
      file: string;
      nameEncoding?: "percent";
      facts?: NonNullable<StagedArtifactFile["meta"]["facts"]>;
    }[] = [];
    for (const { meta, file } of artifacts) {
      if (file === undefined) continue;
      signal?.throwIfAborted();
      const copy = join(folder, String(copies.length));
      await copyFile(file, copy, constants.COPYFILE_FICLONE);
      const { pathInBundle, nameEncoding, facts } = meta;
      copies.push({ pathInBundle, file: copy, ...(nameEncoding && { nameEncoding }), ...(facts && { facts }) });
    }
    const outcome = await source.redact?.(copies, policy, { signal });
    return outcome?.unscanned ?? [];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
