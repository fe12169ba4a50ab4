import { checkKeepsakeOptions, createKeepsake, type Keepsake, type KeepsakeOptions } from "@keepsake/runtime";
import { standardPlugins } from "./standard-plugins.js";

/**
 * A ready Keepsake with the standard plugins; `options.plugins` come beside them. Use it with `await using`.
 *
 * @throws KeepsakeError `E_CONFIG` with every problem at once, `E_PLUGIN_…`
 */
export async function openKeepsake(options: KeepsakeOptions = {}): Promise<Keepsake> {
  checkKeepsakeOptions(options);
  const { plugins = [], ...rest } = options;
  return await createKeepsake({ ...rest, plugins: [...standardPlugins, ...plugins] });
}
