export { generateIdentity, identityFileText, type KeyPair } from "@keepsake/age/keygen";
export {
  createKeepsake,
  defineConfig,
  type Keepsake,
  type KeepsakeConfigInput,
  type KeepsakeOptions,
} from "@keepsake/runtime";
export { openKeepsake } from "./open-keepsake.js";
export { presetsPlugin } from "./presets.plugin.js";
export { standardPlugins } from "./standard-plugins.js";
