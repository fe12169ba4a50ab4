import { resolve } from "node:path";
import { codecProvider, definePlugin, LOGGER, SECRETS, type SecretRef } from "@keepsake/core";
import { z } from "zod";
import { age } from "./age.js";
import { readIdentityFile } from "./identity-file.js";

const options = z.strictObject({
  recipients: z.array(z.string()).optional(),
  identity_files: z.array(z.string()).default([]),
  passphrase: z.union([z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })]).optional(),
});

export default definePlugin({
  name: "age",
  api: 1,
  providers: [
    codecProvider("age", {
      options,
      needs: [LOGGER, SECRETS],
      async create({ recipients, identity_files: identityFiles, passphrase: secret }, resolver, { baseDir }) {
        const logger = resolver.get(LOGGER);
        const secrets = resolver.get(SECRETS);
        const reference = secret === undefined ? undefined : absolute(secret, baseDir);
        const passphrase = reference === undefined ? undefined : (): Promise<string> => secrets.read(reference);
        const identities: string[] = [];
        for (const file of identityFiles) {
          identities.push(...(await readIdentityFile(resolve(baseDir, file), { passphrase, logger })));
        }
        return age({ recipients, identities, passphrase, logger });
      },
    }),
  ],
});

function absolute(reference: SecretRef, baseDir: string): SecretRef {
  return "file" in reference ? { file: resolve(baseDir, reference.file) } : reference;
}
