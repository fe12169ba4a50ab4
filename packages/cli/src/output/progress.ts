import type { Progress } from "@keepsake/engine";
import { bytesText, clockText } from "./units.js";

/** Nothing is shown of what ends within this time. */
const QUIET_MS = 1_000;
const REDRAW_MS = 100;
const BAR_WIDTH = 24;

/** One line of progress: phase, bar, bytes, rate, remaining time. */
export function progressLine(progress: Progress, elapsedMs: number, columns: number): string {
  const { phase, bytesDone, bytesTotal } = progress;
  const rate = elapsedMs > 0 ? (bytesDone / elapsedMs) * 1000 : 0;
  const parts = [phase];
  if (bytesTotal !== undefined && bytesTotal > 0) {
    const share = Math.min(1, bytesDone / bytesTotal);
    const full = Math.round(share * BAR_WIDTH);
    parts.push(
      `[${"#".repeat(full)}${"-".repeat(BAR_WIDTH - full)}]`,
      `${String(Math.floor(share * 100)).padStart(3)}%`,
    );
    parts.push(`${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`);
  } else if (bytesDone > 0) parts.push(bytesText(bytesDone));
  if (rate > 0) parts.push(`${bytesText(rate)}/s`);
  if (bytesTotal !== undefined && rate > 0 && bytesDone < bytesTotal) {
    parts.push(`ETA ${clockText((bytesTotal - bytesDone) / rate)}`);
  }
  return parts.join("  ").slice(0, Math.max(10, columns - 1));
}

/** Draws progress on one line of a terminal, once the work has lasted longer than a second. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #now: () => number;
  readonly #startedMs: number;
  #phase: string | undefined;
  #phaseStartedMs: number;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #visible = false;

  constructor(stream: NodeJS.WriteStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
    this.#startedMs = now();
    this.#phaseStartedMs = this.#startedMs;
  }

  /** For `OperationOptions.onProgress`. */
  readonly update = (progress: Progress): void => {
    const now = this.#now();
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase;
      this.#phaseStartedMs = now;
    } else if (now - this.#drawnMs < REDRAW_MS) return;
    if (now - this.#startedMs < QUIET_MS) return;
    this.#drawnMs = now;
    this.#visible = true;
    this.#stream.write(`\r\u001b[K${progressLine(progress, now - this.#phaseStartedMs, this.#stream.columns || 80)}`);
  };

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (!this.#visible) return;
    this.#visible = false;
    this.#stream.write("\r\u001b[K");
  }
}
