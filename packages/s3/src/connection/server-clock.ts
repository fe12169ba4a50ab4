/** The time that the server says it is, and how far this machine's clock is from it. */
export class ServerClock {
  #seen: { readonly serverMs: number; readonly localMs: number; readonly atMs: number } | undefined;

  /** @param date the header of an answer that has just come; whole seconds */
  note(date: string | undefined): void {
    const serverMs = date === undefined ? Number.NaN : Date.parse(date);
    if (!Number.isNaN(serverMs)) this.#seen = { serverMs, localMs: Date.now(), atMs: performance.now() };
  }

  /** Milliseconds since 1970 by the server's clock, at most a second and a round trip too early; undefined before any answer. */
  now(): number | undefined {
    return this.#seen && this.#seen.serverMs + (performance.now() - this.#seen.atMs);
  }

  /** How far this machine's clock is ahead, in milliseconds; differences below two seconds cannot be seen. */
  skewMs(): number | undefined {
    if (this.#seen === undefined) return undefined;
    const difference = this.#seen.localMs - this.#seen.serverMs;
    return Math.abs(difference) < 2_000 ? 0 : Math.round(difference);
  }
}
