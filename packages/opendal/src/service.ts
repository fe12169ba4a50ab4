import { setTimeout } from "node:timers/promises";
import { isKeepsakeError, KeepsakeError, type OpOptions } from "@keepsake/core";
import type * as Opendal from "opendal";
import type { Capability, Operator } from "opendal";
import { fromOpendal } from "./opendal-error.js";
import { withinTime } from "./within-time.js";

/** A service of OpenDAL, and how patient to be with it. */
export interface ServicePlace {
  /** "gcs", "azblob", "webdav", "fs": the name of the service */
  readonly scheme: string;
  /** the service's options, as OpenDAL documents them; default none */
  readonly options?: Readonly<Record<string, string>>;
  /** after how much silence a call is given up, in milliseconds; large bodies get more. Default 60,000 */
  readonly timeoutMs?: number;
  /** values among the options that no message may repeat */
  readonly secrets?: readonly string[];
}

/** One call of the library. */
export interface Call extends OpOptions {
  /** what is being done, without a full stop */
  readonly sentence: string;
  readonly key?: string;
  /** how much it sends or asks for */
  readonly sizeBytes?: number;
  /** What must not be done twice: who repeats a creation whose answer was lost is told that it exists. */
  readonly isOnce?: boolean;
}

type Library = typeof Opendal;

const RETRIES = 3;
const FIRST_PAUSE_MS = 200;
/** What fails here fails again, and the library takes "not a directory" for a passing trouble. */
const AT_HAND = new Set(["fs", "memory"]);
/** So much is given the time of one silence. */
const BYTES_PER_SILENCE = 8 * 1024 * 1024;
const NEEDED = ["stat", "read", "write", "delete", "list"] as const;

/** The library's operator for one service, with its errors and its silence turned into ours. */
export class Service {
  readonly scheme: string;
  readonly capability: Capability;
  readonly #open: () => Operator;
  readonly #timeoutMs: number;
  readonly #secrets: readonly string[];
  #operators: { readonly plain: Operator; readonly retrying: Operator } | undefined;
  readonly #library: Library;

  private constructor(library: Library, place: ServicePlace) {
    const { scheme, options = {}, timeoutMs = 60_000, secrets = [] } = place;
    this.scheme = scheme;
    this.#library = library;
    this.#timeoutMs = timeoutMs;
    this.#secrets = secrets;
    this.#open = () => new library.Operator(scheme, { ...options });
    // The operator of a folder makes the folder, and what is not used yet leaves no trace.
    const isFolder = scheme === "fs" && options["root"] !== undefined;
    const trial = isFolder ? new library.Operator("fs", { ...options, root: "/" }) : this.#both().plain;
    this.capability = trial.capability();
  }

  /**
   * Asks nobody: the service is reached by the first call.
   *
   * @throws KeepsakeError `E_CONFIG` for options that the service refuses, `E_UNSUPPORTED` for a service that the library
   *   does not have or that lacks what a store needs, `E_PLUGIN_LOAD` when the library's binary cannot be loaded here
   */
  static async open(place: ServicePlace): Promise<Service> {
    const library = await load();
    let service: Service;
    try {
      service = new Service(library, place);
    } catch (error) {
      const sentence = `The service ${place.scheme} of OpenDAL cannot be used`;
      throw fromOpendal(error, { sentence, secrets: place.secrets ?? [] });
    }
    const missing = NEEDED.filter((name) => !service.capability[name]);
    if (missing.length === 0) return service;
    throw new KeepsakeError("E_UNSUPPORTED", `The service ${place.scheme} cannot ${missing.join(" nor ")}.`, {
      context: { scheme: place.scheme, missing },
    });
  }

  /** @throws KeepsakeError, or the signal's reason */
  async call<T>(call: Call, work: (operator: Operator) => Promise<T>): Promise<T> {
    const { sentence, key, sizeBytes = 0, signal, isOnce = false } = call;
    signal?.throwIfAborted();
    const pending = this.#started(work, isOnce).catch((error: unknown) => {
      throw fromOpendal(error, { sentence, key, secrets: this.#secrets });
    });
    const limitMs = Math.ceil(this.#timeoutMs * (1 + sizeBytes / BYTES_PER_SILENCE));
    return withinTime(pending, { sentence, limitMs, ...(signal && { signal }) });
  }

  /**
   * Whether what failed is to be done once more, after a pause. What was silent for the whole of its time is not.
   *
   * @param attempt the how many-th has failed, counted from 1
   * @throws the signal's reason
   */
  async mayTryAgain(error: unknown, attempt: number, { signal }: OpOptions): Promise<boolean> {
    if (!isKeepsakeError(error) || attempt > RETRIES) return false;
    if (error.retry !== "temporary" || error.context["kind"] === undefined || AT_HAND.has(this.scheme)) return false;
    await setTimeout(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { signal }).catch(() => signal?.throwIfAborted());
    return true;
  }

  async #started<T>(work: (operator: Operator) => Promise<T>, isOnce: boolean): Promise<T> {
    const { plain, retrying } = this.#both();
    return work(isOnce ? plain : retrying);
  }

  #both() {
    if (this.#operators !== undefined) return this.#operators;
    const plain = this.#open();
    this.#operators = { plain, retrying: AT_HAND.has(this.scheme) ? plain : this.#retrying(plain) };
    return this.#operators;
  }

  #retrying(operator: Operator): Operator {
    const retry = new this.#library.RetryLayer();
    retry.jitter = true;
    retry.maxTimes = RETRIES;
    retry.minDelay = FIRST_PAUSE_MS;
    return operator.layer(retry.build());
  }
}

/** Its binary is large, and only where it is used does it have to run at all. */
async function load(): Promise<Library> {
  try {
    return await import("opendal");
  } catch (cause) {
    throw new KeepsakeError("E_PLUGIN_LOAD", "The library opendal cannot be loaded on this machine.", {
      cause,
      hint: "Its binary for this system comes as a package of its own, @opendal/lib-…: install it, without --no-optional.",
    });
  }
}
