import { resolve } from "node:path";
import { codecProvider, definePlugin, LOGGER, SECRETS, type SecretRef, secretRefSchema } from "@keepsake/core";
import { z } from "zod";

const options = z.strictObject({
  recipients: z
    .array(z.string())
    .superRefine(async (recipients, context) => {
      const { recipientProblem } = await import("./recipients.js");
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
        const { age } = await import("./age.js");
        const { readIdentityFile } = await import("./identity-file.js");
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
        const owners = ownersOf && (await recipientsOf(await identitiesIn(ownersOf)));
        const recipients = owners ? [...(options.recipients ?? []), ...owners] : options.recipients;
        return age({ recipients, identities: await identitiesIn(identityFiles), passphrase, logger });
      },
    }),
  ],
});

async function recipientsOf(identities: readonly string[]): Promise<readonly string[]> {
  const { identityToRecipient } = await import("age-encryption");
  return await Promise.all(identities.map(identityToRecipient));
}

function absolute(reference: SecretRef, baseDir: string): SecretRef {
  return "file" in reference ? { file: resolve(baseDir, reference.file) } : reference;
}
