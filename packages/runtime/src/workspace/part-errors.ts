import { isKeepsakeError, KeepsakeError } from "@keepsake/core";

/** What the parts of a configuration failed with, so that who has several to mend is told of all at once. */
export class PartErrors {
  readonly #errors = new Map<string, { readonly error: KeepsakeError; readonly place: string }>();

  /**
   * What `work` gives, or nothing when it failed.
   *
   * @param place where the part stands in the configuration, for when several are told: `stores.primary`
   * @throws what is no KeepsakeError
   */
  async attempt<T>(work: () => Promise<T> | T, place = ""): Promise<readonly T[]> {
    try {
      return [await work()];
    } catch (error) {
      if (!isKeepsakeError(error)) throw error;
      this.add(error, place);
      return [];
    }
  }

  /** Each is told once, however many parts hang on it. */
  add(error: KeepsakeError, place = ""): void {
    const name = `${error.code} ${error.message}`;
    if (!this.#errors.has(name)) this.#errors.set(name, { error, place });
  }

  get list(): readonly KeepsakeError[] {
    return [...this.#errors.values()].map(({ error }) => error);
  }

  /** The only one as it is; of several one with the first one's code and the sentences of all. */
  together(file: string | undefined): KeepsakeError {
    const all = [...this.#errors.values()];
    const [first] = all;
    if (first === undefined) throw new TypeError("Nothing failed.");
    if (all.length === 1) return first.error;
    const problems = all.map(({ error, place }) => (place === "" ? error.message : `${place}: ${error.message}`));
    return new KeepsakeError(first.error.code, problems.map((one) => `${file ?? "(inline)"}: ${one}`).join("\n"), {
      cause: first.error,
      context: { problems },
    });
  }
}

/** Several errors as one, as {@link PartErrors} tells them; undefined where there is none. */
export function togetherError(errors: readonly KeepsakeError[], file: string | undefined): KeepsakeError | undefined {
  const all = new PartErrors();
  for (const error of errors) all.add(error);
  return errors.length === 0 ? undefined : all.together(file);
}
