import {
  type ArtifactSource,
  type DocumentFinding,
  findInDocument,
  type HistoryPlace,
  isReplaced,
  type RedactionPolicy,
  type ScanContext,
  type StagedArtifact,
  streamOf,
} from "@keepsake/core";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import type { FoundSecret } from "./found-secret.js";
import { maskedSecret } from "./masked-secret.js";

/** Tells nobody what it finds, so that nothing is replaced, and keeps it. */
export class WatchingPolicy implements RedactionPolicy {
  readonly id: string;
  readonly rules: readonly string[];
  readonly #found: { readonly finding: FoundSecret; readonly secret: string }[] = [];
  readonly #policy: RedactionPolicy;
  readonly #seen = new Set<string>();

  constructor(policy: RedactionPolicy) {
    this.#policy = policy;
    this.id = policy.id;
    this.rules = policy.rules;
  }

  get findings(): readonly FoundSecret[] {
    return this.#found.map(({ finding }) => finding);
  }

  scan(text: string, where: ScanContext): readonly [] {
    for (const { start, end, rule } of this.#policy.scan(text, where)) {
      const secret = text.slice(start, end);
      // One cell is looked at as it is and decoded: the same secret twice in it is told of once.
      const place = JSON.stringify([where.path, where.column, where.row, rule, secret]);
      if (isReplaced(secret) || this.#seen.has(place)) continue;
      this.#seen.add(place);
      const { path: artifact, column, row, commit } = where;
      const finding = {
        artifact,
        rule,
        ...(column === undefined ? {} : { column }),
        ...(row === undefined ? {} : { row }),
        ...(commit === undefined ? {} : { commit }),
        masked: maskedSecret(secret),
      };
      this.#found.push({ finding, secret });
    }
    return [];
  }

  /** The findings; those in a history with their line, and what leads to them, as far as the source can tell. */
  async traced(
    artifacts: readonly StagedArtifactFile[],
    source: ArtifactSource,
    signal: AbortSignal | undefined,
  ): Promise<readonly FoundSecret[]> {
    const places = new Map<string, HistoryPlace>();
    for (const { finding } of this.#found) {
      const { artifact: path, commit } = finding;
      if (commit !== undefined) places.set(placeKey(finding), { path, commit });
    }
    if (source.trace === undefined || places.size === 0) return this.findings;
    const known = new Map<string, { readonly ref: string | undefined; readonly lines: readonly DocumentFinding[] }>();
    for await (const { path, commit, ref, content } of source.trace(stagedOf(artifacts), [...places.values()], {
      signal,
    }))
      known.set(placeKey({ artifact: path, commit }), { ref, lines: await this.#linesOf(path, commit, content) });
    return this.#found.map(({ finding, secret }) => {
      const place = known.get(placeKey(finding));
      const line = place?.lines.find((one) => one.secret.includes(secret) || secret.includes(one.secret))?.line;
      return {
        ...finding,
        ...(line === undefined ? {} : { line }),
        ...(place?.ref === undefined ? {} : { ref: place.ref }),
      };
    });
  }

  async #linesOf(path: string, commit: string, content: Uint8Array | undefined): Promise<readonly DocumentFinding[]> {
    if (content === undefined) return [];
    const { findings = [] } = await findInDocument(streamOf(content), this.#policy, { path, commit });
    return findings;
  }
}

function placeKey({ artifact, commit }: Pick<FoundSecret, "artifact" | "commit">): string {
  return JSON.stringify([artifact, commit]);
}

function stagedOf(artifacts: readonly StagedArtifactFile[]): StagedArtifact[] {
  return artifacts.flatMap(({ meta, file }) => {
    const { pathInBundle, nameEncoding, facts } = meta;
    if (file === undefined) return [];
    return [{ pathInBundle, file, ...(nameEncoding && { nameEncoding }), ...(facts && { facts }) }];
  });
}
