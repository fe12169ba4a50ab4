import type { ArtifactSource } from "@keepsake/core";
import type { PrivateStaging } from "../snapshot/private-staging.js";
import type { RedactionPolicies } from "../workspace.js";

/** What is asked of a redaction beside the policies. */
export interface RedactionOrder {
  readonly sources: readonly ArtifactSource[];
  readonly policies: RedactionPolicies;
  /** fail when anything could not be looked through */
  readonly requireClean: boolean;
  readonly staging: PrivateStaging;
}
