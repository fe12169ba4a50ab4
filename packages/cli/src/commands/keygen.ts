import { resolve } from "node:path";
import { toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { KeygenOptions } from "../grammar/options.js";
import { writeIdentity } from "../keygen/write-identity.js";
import { printable } from "../output/printable.js";

/** `keygen`: makes an age identity, into a file that only its owner can read, or onto stdout. */
export const keygen: CommandRun<KeygenOptions> = async ({ terminal, output, nowMs }, options) => {
  const { generateIdentity, identityFileText } = await import("@keepsake/standard");
  const identity = await generateIdentity();
  const text = identityFileText(identity, new Date(nowMs));
  const { recipient } = identity;
  if (options.output === undefined) {
    output.note(`Public key: ${recipient}`);
    output.result({ json: toWire(identity), human: () => text, quiet: text.trimEnd().split("\n") });
    return 0;
  }
  const file = resolve(terminal.cwd, options.output);
  await writeIdentity(file, text);
  output.note(`Wrote the identity to ${printable(file)}. Without it nothing encrypted to this recipient can be read.`);
  output.result({ json: { recipient, identity_file: file }, human: () => `${recipient}\n`, quiet: [recipient] });
  return 0;
};
