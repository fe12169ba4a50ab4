import { inject, injectable } from "tsyringe";
import { nobodyOf } from "../agent-ref.js";
import type { RulesReport } from "../memory-snapshotter.js";
import { policiesByMode } from "../redaction/policies-by-mode.js";
import { WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";

/** Tells what is looked for. */
@injectable()
export class RulesOperation {
  readonly #workspace: Workspace;

  constructor(@inject(WORKSPACE) workspace: Workspace) {
    this.#workspace = workspace;
  }

  async run(request: { readonly tenant?: string | undefined }): Promise<RulesReport> {
    const { redaction } = await this.#workspace.interpretersOf(nobodyOf(request));
    const policies = policiesByMode(await redaction.policies());
    return {
      policies: policies.map(({ mode, policy: { id, rules } }) => ({ id, mode, rules: [...rules] })),
    };
  }
}
