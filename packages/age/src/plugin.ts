import { resolve } from "node:path";
import { codecProvider, definePlugin, LOGGER, SECRETS, type SecretRef, secretRefSchema } from "@keepsake/core";
import { identityToRecipient } from "age-encryption";
import { z } from "zod";
import { age } from "./age.js";
import { readIdentityFile } from "./identity-file.js";
import { recipientProblem } from "./recipients.js";

const options = z.strictObject({
  recipients: z
    .array(z.string())
    .superRefine((recipients, context) => {
      for (const [index, recipient] of recipients.entries()) {
        const problem = recipientProblem(recipient.trim());
        if (problem === undefined) continue;
        context.addIssue({ code: "custom", path: [index], message: `this is ${problem.what}. ${problem.hint}` });
      }
    })
    .optional(),
  identity_files: z.array(z.string()).default([]),
  owners_of: z.array(z.string()).optional().describe("Files of identities to whose owners is encrypted."),
  passphrase: secretRefSchema.optional(),
});

export default definePlugin({
  name: "age",
  api: 1,
  providers: [
    codecProvider("age", {
      options,
      needs: [LOGGER, SECRETS],
      async create(
        { identity_files: identityFiles, owners_of: ownersOf, passphrase: secret, ...options },
        resolver,
        { baseDir },
      ) {
        const logger = resolver.get(LOGGER);
        const secrets = resolver.get(SECRETS);
        const reference = secret === undefined ? undefined : absolute(secret, baseDir);
        const passphrase = reference === undefined ? undefined : (): Promise<string> => secrets.read(reference);
        const identitiesIn = async (files: readonly string[]): Promise<readonly string[]> => {
          const found: string[] = [];
          for (const file of files)
            found.push(...(await readIdentityFile(resolve(baseDir, file), { passphrase, logger })));
          return found;
        };
        const owners = ownersOf && (await Promise.all((await identitiesIn(ownersOf)).map(identityToRecipient)));
        const recipients = owners ? [...(options.recipients ?? []), ...owners] : options.recipients;
        return age({ recipients, identities: await identitiesIn(identityFiles), passphrase, logger });
      },
    }),
  ],
});

function absolute(reference: SecretRef, baseDir: string): SecretRef {
  return "file" in reference ? { file: resolve(baseDir, reference.file) } : reference;
}
