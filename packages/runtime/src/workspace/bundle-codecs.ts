import { basename, extname } from "node:path";
import { type Codec, KeepsakeError } from "@keepsake/core";
import type { EncodeRequest } from "@keepsake/engine";
import { checkOptions } from "../kernel/check-options.js";
import { encryptionOptions, optionsOf } from "../config/provider-options.js";
import type { UseEntry } from "../config/schema.js";
import { resolvePath } from "../config/state-root.js";
import type { WorkspaceParts } from "./workspace-parts.js";

type Options = Readonly<Record<string, unknown>>;

/** A codec and the name of its provider. */
export interface NamedCodec {
  readonly use: string;
  readonly codec: Codec;
}

/** Chooses the codecs to write bundles with, and by file name those to read them with. */
export class BundleCodecs {
  readonly #parts: WorkspaceParts;

  constructor(parts: WorkspaceParts) {
    this.#parts = parts;
  }

  /**
   * The configured codecs in order, and the encrypting one after them when encryption is wanted.
   *
   * @throws KeepsakeError `E_RECIPIENT` when it is wanted and there is no recipient, or a malformed one
   */
  async encoders(entries: readonly UseEntry[], request: EncodeRequest): Promise<readonly Codec[]> {
    const codecs = await Promise.all(entries.map((entry) => this.#make(entry.use, optionsOf("codec", entry))));
    const wanted = request.recipients !== undefined || request.forceEncryption === true;
    if (!wanted && !this.#parts.loaded.config.encryption.enabled) return codecs;
    return [...codecs, await this.#encryptor(request)];
  }

  /**
   * @param fileName "….tar.zst.age"; read from the right, down to ".tar"
   * @param identityFiles paths, relative to the working directory; beside the configuration's
   * @throws KeepsakeError `E_UNSUPPORTED` when no codec has the suffix, `E_IDENTITY` for a malformed identity file
   */
  async decoders(fileName: string, identityFiles: readonly string[]): Promise<readonly Codec[]> {
    const chain: Codec[] = [];
    for (let name = basename(fileName); !name.endsWith(".tar"); ) {
      const { use, codec } = await this.#readerOf(name, fileName);
      // Only a bundle that is encrypted needs the identities: a damaged file of them is no matter for the others.
      chain.push(use === this.#parts.loaded.config.encryption.use ? await this.#decryptor(identityFiles) : codec);
      name = name.slice(0, -codec.suffix.length);
    }
    return chain;
  }

  /** The codecs the top level of the configuration names. */
  async configured(): Promise<readonly NamedCodec[]> {
    const entries = this.#parts.loaded.config.codecs;
    return Promise.all(
      entries.map(async (entry) => ({ use: entry.use, codec: await this.#make(entry.use, optionsOf("codec", entry)) })),
    );
  }

  #make(use: string, options: Options, sharing: { readonly shared?: boolean } = {}): Promise<Codec> {
    return this.#parts.kernel.make(
      "codec",
      use,
      options,
      { id: undefined, baseDir: this.#parts.loaded.baseDir },
      sharing,
    );
  }

  /**
   * To the caller's recipients, else the configured ones, else by what the provider's own options say (a passphrase),
   * else to the owners of the given identities.
   */
  async #encryptor({ recipients, toOwnersOf }: EncodeRequest): Promise<Codec> {
    const { encryption } = this.#parts.loaded.config;
    const own = encryptionOptions(encryption);
    if (recipients !== undefined || encryption.recipients.length > 0) {
      return this.#encryptorTo(recipients ?? encryption.recipients);
    }
    if (Object.keys(own).length > 0) return this.#make(encryption.use, own);
    const files = toOwnersOf === undefined ? [] : this.#identityFiles(toOwnersOf);
    if (files.length === 0) throw noRecipient();
    return this.#make(encryption.use, { owners_of: files }, { shared: false });
  }

  async #encryptorTo(recipients: readonly string[]): Promise<Codec> {
    if (recipients.length === 0) throw noRecipient();
    const { loaded } = this.#parts;
    const { use } = loaded.config.encryption;
    const options = { ...encryptionOptions(loaded.config.encryption), recipients: [...recipients] };
    const found = loaded.registry.find("codec", use);
    const checked = found && (await checkOptions(found.provider, options));
    const problem = checked?.problems?.find(({ path }) => path[0] === "recipients");
    if (!problem) return this.#make(use, options);
    const [, index] = problem.path;
    const which = typeof index === "number" ? `The recipient at index ${index}` : "The list of recipients";
    throw new KeepsakeError("E_RECIPIENT", `${which} is wrong: ${problem.message}`, {
      context: typeof index === "number" ? { index } : {},
    });
  }

  /** Of several suffixes that fit the longest counts. */
  async #readerOf(name: string, fileName: string): Promise<NamedCodec> {
    // What leads down to ".tar" is the longest there can be: for most bundles no other codec has to be made.
    const last = (await this.configured()).find(({ codec: { suffix } }) => name.endsWith(`.tar${suffix}`));
    if (last) return last;
    const known = await this.#readers();
    const longest = longestSuffix(known, name);
    if (longest) return longest;
    throw unknownSuffix(fileName, name, known);
  }

  /** One codec of every provider: as configured where it is, with its default options elsewhere. */
  async #readers(): Promise<readonly NamedCodec[]> {
    const { config, registry } = this.#parts.loaded;
    const own = Object.values(config.agents).flatMap((agent): readonly UseEntry[] => agent.codecs ?? []);
    const entries = [...config.codecs, ...own];
    const readers: NamedCodec[] = [];
    for (const use of new Set([...entries.map((entry) => entry.use), ...registry.names("codec")])) {
      const entry = entries.find((candidate) => candidate.use === use);
      const codec = await this.#reader(use, entry ? optionsOf("codec", entry) : this.#defaultOptions(use));
      if (codec) readers.push({ use, codec });
    }
    return readers;
  }

  #defaultOptions(use: string): Options {
    const { encryption } = this.#parts.loaded.config;
    return use === encryption.use ? encryptionOptions(encryption) : {};
  }

  async #reader(use: string, options: Options): Promise<Codec | undefined> {
    const found = this.#parts.loaded.registry.find("codec", use);
    // A codec that cannot do without options and has none here cannot read anything.
    if (!found || (await checkOptions(found.provider, options)).problems) return undefined;
    return this.#make(use, options);
  }

  /** A new one each time: an identity file may have changed since the last. */
  async #decryptor(identityFiles: readonly string[]): Promise<Codec> {
    const { encryption } = this.#parts.loaded.config;
    const options = { ...encryptionOptions(encryption), identity_files: this.#identityFiles(identityFiles) };
    return this.#make(encryption.use, options, { shared: false });
  }

  /** Absolute paths: the configured file first. */
  #identityFiles(requested: readonly string[]): readonly string[] {
    const { loaded, cwd, env } = this.#parts;
    const { identity_file: configured } = loaded.config.encryption;
    const own = configured === null ? [] : [resolvePath(configured, loaded.baseDir, env)];
    return [...new Set([...own, ...requested.map((file) => resolvePath(file, cwd, env))])];
  }
}

function noRecipient(): KeepsakeError {
  return new KeepsakeError("E_RECIPIENT", "Encryption is wanted and there is no recipient.", {
    hint: "Name one with --encrypt, or in the configuration under encryption.recipients.",
  });
}

function longestSuffix(readers: readonly NamedCodec[], name: string): NamedCodec | undefined {
  const fitting = readers.filter(
    ({ codec: { suffix } }) => suffix.length > 1 && name.length > suffix.length && name.endsWith(suffix),
  );
  // The sort is stable: of equal suffixes the configured codec stays first.
  return fitting.toSorted((a, b) => b.codec.suffix.length - a.codec.suffix.length)[0];
}

function unknownSuffix(fileName: string, rest: string, known: readonly NamedCodec[]): KeepsakeError {
  const suffix = extname(rest) === "" ? rest : extname(rest);
  const suffixes = known.map(({ codec }) => codec.suffix);
  return new KeepsakeError(
    "E_UNSUPPORTED",
    `No codec reads ${JSON.stringify(suffix)} of ${JSON.stringify(basename(fileName))}; known are ${suffixes.join(", ")}.`,
    {
      context: { suffix, known: suffixes },
      hint: "A bundle is named <name>.tar with the suffixes of its codecs; a plugin may bring the codec.",
    },
  );
}
