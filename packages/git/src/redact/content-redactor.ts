import {
  addMatches,
  collectBytes,
  namePolicy,
  redactDocument,
  type RedactionPolicy,
  redactStream,
  redactText,
  type StreamOutcome,
} from "@keepsake/core";

/** A blob larger than this is looked through window by window, as a note of that size in the working tree is, in bytes. */
const MAX_WHOLE_BYTES = 8 * 1024 * 1024;
const SLICE_BYTES = 1024 * 1024;

/** Redacts the texts of one repository, and counts. */
export class ContentRedactor {
  readonly #policy: RedactionPolicy;
  readonly #names: RedactionPolicy;
  readonly #commit: { readonly commit?: string };
  readonly matches: Record<string, number>;

  constructor(policy: RedactionPolicy, matches: Record<string, number> = {}, commit?: string) {
    this.#policy = policy;
    this.#names = namePolicy(policy);
    this.#commit = commit === undefined ? {} : { commit };
    this.matches = matches;
  }

  /** The same for what a commit holds: counts together with this one. */
  of(commit: string | undefined): ContentRedactor {
    return new ContentRedactor(this.#policy, this.matches, commit);
  }

  /**
   * A file's content, as a note in the working tree is redacted: both have to be the same bytes afterwards.
   *
   * @returns the very bytes that were given where nothing was found; undefined for what is no text
   */
  async document(bytes: Buffer, path: string): Promise<Buffer | undefined> {
    if (bytes.length > MAX_WHOLE_BYTES) return await this.#large(bytes, path);
    const redacted = redactDocument(bytes, this.#policy, { path, ...this.#commit });
    if (redacted.unscanned !== undefined) return undefined;
    return this.#count(redacted.matches) ? asBuffer(redacted.bytes) : bytes;
  }

  /** A line: a person, an address, a message. */
  line(text: string, path: string): string {
    return this.#redacted(text, this.#policy, path);
  }

  /** The name of a file or a ref, or a path. */
  name(text: string, path: string): string {
    return this.#redacted(text, this.#names, path);
  }

  /** A line in bytes that are hardly ever anything but UTF-8. */
  lineBytes(bytes: Buffer, path: string): Buffer {
    return viaText(bytes, (text) => this.line(text, path));
  }

  /** A name in such bytes. */
  nameBytes(bytes: Buffer, path: string): Buffer {
    return viaText(bytes, (text) => this.name(text, path));
  }

  #redacted(text: string, policy: RedactionPolicy, path: string): string {
    const redacted = redactText(text, policy, { path, ...this.#commit });
    this.#count(redacted.matches);
    return redacted.text;
  }

  async #large(bytes: Buffer, path: string): Promise<Buffer | undefined> {
    const outcome: StreamOutcome = { matches: {} };
    const slices = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
    };
    const redacted = await collectBytes(
      redactStream(slices(), this.#policy, { path, ...this.#commit }, outcome),
      Infinity,
    );
    if (outcome.unscanned !== undefined) return undefined;
    return this.#count(outcome.matches) ? asBuffer(redacted) : bytes;
  }

  #count(matches: Readonly<Record<string, number>>): boolean {
    addMatches(this.matches, matches);
    return Object.keys(matches).length > 0;
  }
}

/** Changes a text in bytes that are hardly ever anything but UTF-8. @returns the very bytes where nothing changed */
export function viaText(bytes: Buffer, change: (text: string) => string): Buffer {
  const utf8 = bytes.toString("utf8");
  const encoding = Buffer.from(utf8, "utf8").equals(bytes) ? "utf8" : "latin1";
  const text = encoding === "utf8" ? utf8 : bytes.toString("latin1");
  const changed = change(text);
  return changed === text ? bytes : Buffer.from(changed, encoding);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
