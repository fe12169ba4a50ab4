import { type Clock, type EventPublisher, type LifecycleEvent, type MutationEvent, toWire } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { JournalFile } from "./journal-file.js";
import { JOURNAL_CLOCK } from "./tokens.js";

/** Writes down what happened to snapshots, one line of JSON for each event, in the order in which they came. */
@injectable()
export class EventJournal implements EventPublisher, AsyncDisposable {
  readonly id = "event-journal";
  readonly #file: JournalFile;
  readonly #clock: Clock;
  #last: Promise<void> = Promise.resolve();

  constructor(@inject(JournalFile) file: JournalFile, @inject(JOURNAL_CLOCK) clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  publish(event: LifecycleEvent | MutationEvent): Promise<void> {
    const line = JSON.stringify({ written_at_ms: this.#clock.now(), ...toWire(event) });
    const written = this.#last.then(() => this.#file.append(line));
    this.#last = written.catch(() => undefined);
    return written;
  }

  /** Keepsake disposes what a provider made, in reverse order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
  }
}
