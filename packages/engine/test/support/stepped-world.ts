import type { ArtifactSource, CaptureSession, SourceEntry } from "@keepsake/core";

/**
 * An agent whose every write changes a database and a note together, and which writes exactly once: before the k-th step
 * of whoever looks at its data, or as soon after that as it is not held. Beside that it has two files, left and right,
 * that it writes at that step, hold or no hold: left first, and right at once.
 */
export class SteppedWorld {
  database = 0;
  note = 0;
  left = 0;
  right = 0;
  steps = 0;
  readonly #writeAt: number;
  #held = false;
  #pending = false;

  constructor(writeAt: number) {
    this.#writeAt = writeAt;
  }

  /** What can be held and pinned, as SQLite can. */
  databaseSource(): ArtifactSource {
    return source("database", () => {
      let view: number | undefined;
      return {
        hold: async () => {
          this.#step();
          this.#held = true;
          return { [Symbol.asyncDispose]: async () => this.#release() };
        },
        pin: async () => {
          this.#step();
          view = this.database;
          return "held";
        },
        read: () => {
          this.#step();
          return view ?? Number.NaN;
        },
      };
    });
  }

  /** What keeps what it showed when it was pinned and cannot be held, as a repository does. */
  repositorySource(): ArtifactSource {
    return source("repository", () => {
      let view: number | undefined;
      return {
        pin: async () => {
          this.#step();
          view = this.note;
          return "held";
        },
        fence: async () => {
          this.#step();
          return String(this.note);
        },
        read: () => {
          this.#step();
          return view ?? Number.NaN;
        },
      };
    });
  }

  /** What can only be fenced, as files can. */
  noteSource(): ArtifactSource {
    return source("note", () => ({
      pin: async () => {
        this.#step();
        return "fenced";
      },
      fence: async () => {
        this.#step();
        return String(this.note);
      },
      read: () => {
        this.#step();
        return this.note;
      },
    }));
  }

  /** What is copied when it is pinned, and again when it is freshened, as small memories are. */
  copiedSource(id: "note" | "left" | "right"): ArtifactSource {
    return source(id, () => {
      let copy: number | undefined;
      return {
        pin: async () => {
          this.#step();
          copy = this[id];
          return "held";
        },
        freshen: async () => {
          this.#step();
          copy = this[id];
          return true;
        },
        pinnedFence: () => String(copy),
        fence: async () => {
          this.#step();
          return String(this[id]);
        },
        unpin: async () => undefined,
        read: () => copy ?? Number.NaN,
      };
    });
  }

  #step(): void {
    if (this.steps === this.#writeAt) this.left = this.right = 1;
    if (this.steps++ === this.#writeAt) this.#pending = true;
    this.#write();
  }

  #release(): void {
    this.#held = false;
    this.#write();
  }

  #write(): void {
    if (!this.#pending || this.#held) return;
    this.#pending = false;
    this.database++;
    this.note++;
  }
}

type Behaviour = Omit<CaptureSession, "claims" | "entries" | typeof Symbol.asyncDispose> & { read(): number };

function source(id: string, open: () => Behaviour): ArtifactSource {
  return {
    id,
    kind: "test/number",
    open: async () => {
      const { read, ...behaviour } = open();
      return {
        claims: [],
        ...behaviour,
        entries: async function* (): AsyncGenerator<SourceEntry> {
          const stream = (async function* () {
            yield Buffer.from(String(read()));
          })();
          yield { type: "file", path: "value", mode: 0o600, mtimeMs: 0, content: { stream } };
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}
