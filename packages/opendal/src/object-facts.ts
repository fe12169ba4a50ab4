import { isKeepsakeError, KeepsakeError, type OpOptions, type StoredObject } from "@keepsake/core";
import type { Metadata } from "opendal";
import type { Service } from "./service.js";

/** What is known of an object. */
export interface Found {
  readonly object: StoredObject;
  /** changes with the content, where the service has one */
  readonly etag: string | undefined;
}

/** Finds objects, and tells of them what the service tells. */
export class ObjectFacts {
  readonly #service: Service;
  /** The service `memory` keeps no times. All that is in it was written here. */
  readonly #times: Map<string, number> | undefined;

  constructor(service: Service) {
    this.#service = service;
    this.#times = service.scheme === "memory" ? new Map() : undefined;
  }

  /** To be called when something was written. */
  noteWritten(name: string): void {
    this.#times?.set(name, wholeSeconds(Date.now()));
  }

  async find(key: string, name: string, { signal }: OpOptions): Promise<Found | undefined> {
    const call = {
      sentence: `The object ${JSON.stringify(key)} could not be looked up`,
      key,
      ...(signal && { signal }),
    };
    try {
      return this.of(key, name, await this.#service.call(call, (operator) => operator.stat(name)));
    } catch (error) {
      if (isKeepsakeError(error, "E_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  /** @returns undefined for what is no object; a folder, say */
  of(key: string, name: string, metadata: Metadata): Found | undefined {
    if (!metadata.isFile()) return undefined;
    const { contentLength, lastModified, etag } = metadata;
    // What has no time yet is there before the one who is writing it has had his answer.
    if (this.#times !== undefined && !this.#times.has(name)) this.noteWritten(name);
    const modifiedAtMs = this.#times?.get(name) ?? wholeSeconds(Date.parse(lastModified ?? ""));
    if (Number.isNaN(modifiedAtMs) || contentLength === null) throw timeless(key, this.#service.scheme);
    return { object: { key, sizeBytes: Number(contentLength), modifiedAtMs }, etag: etag ?? undefined };
  }
}

/** A listing is often more exact than a look at one object. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** Whether something is abandoned or out of date hangs on times: one that was made up would lose snapshots. */
function timeless(key: string, scheme: string): KeepsakeError {
  return new KeepsakeError(
    "E_UNSUPPORTED",
    `The service ${scheme} does not tell size and time of ${JSON.stringify(key)}.`,
    {
      context: { key, scheme },
    },
  );
}
