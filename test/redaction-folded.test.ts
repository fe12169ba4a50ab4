import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { writeTree } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { CliCase, expectRefused } from "./support/cli-case.js";
import { havePrograms } from "./support/programs.js";
import { randomText } from "./support/random-text.js";
import { storedFiles, unpackByPrograms } from "./support/unpack-by-programs.js";

function cellIn(folder: string): string {
  const db = new Database(join(folder, "sqlite/facts.db"), { readonly: true });
  const cell = db.prepare("SELECT body FROM fact").pluck().get();
  db.close();
  return inflateSync(cell as Buffer).toString();
}

describe.runIf(havePrograms("zstd", "tar"))("a database with compressed texts", () => {
  it("is redacted in them, also of what only a note tells to be secret, and is scanned", async () => {
    await using box = await CliCase.make();
    const [token, bare] = [`ghp_${randomText(36)}`, randomText(32)];
    await writeTree(box.memory, { "notes.md": `API_KEY=${bare}\n` });
    const db = new Database(join(box.memory, "facts.db"));
    db.exec("CREATE TABLE fact (id INTEGER PRIMARY KEY, body BLOB)");
    db.prepare("INSERT INTO fact (body) VALUES (?)").run(deflateSync(`used ${token}, and ${bare} before`));
    db.close();
    const scan = await box.runLive("scan");
    expect(JSON.parse(scan.stdout)).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({ artifact: "sqlite/facts.db", column: "fact.body", rule: "github_token" }),
      ]) as unknown,
    });
    const cell = async (option: string): Promise<string> => {
      const run = await box.runLive("snapshot", [option]);
      expect(run, run.stderr).toMatchObject({ code: 0 });
      const { bundle } = storedFiles(box.root, (JSON.parse(run.stdout) as { bundle_path: string }).bundle_path);
      return cellIn(await unpackByPrograms(bundle, box.temp.join(`out${option}`)));
    };
    expect(await cell("--no-redact")).toContain(bare);
    expect(await cell("--redact")).toBe("used [REDACTED:github_token], and [REDACTED:named_secret] before");
  });

  it("is not published when they hold a known secret and more than is looked through", async () => {
    await using box = await CliCase.make();
    const bare = randomText(32);
    await writeTree(box.memory, { "notes.md": `API_KEY=${bare}\n` });
    const db = new Database(join(box.memory, "facts.db"));
    db.exec("CREATE TABLE fact (id INTEGER PRIMARY KEY, body BLOB)");
    const large = Buffer.concat([Buffer.alloc(33 * 1024 * 1024, "lorem "), Buffer.from(bare)]);
    db.prepare("INSERT INTO fact (body) VALUES (?)").run(deflateSync(large, { level: 1 }));
    db.close();
    const error = expectRefused(await box.runLive("snapshot", ["--redact"]), 4, "E_REDACTION_RESIDUE");
    expect(error.context).toMatchObject({ artifact: "sqlite/facts.db" });
    expect(await box.runLive("snapshot", ["--no-redact"])).toMatchObject({ code: 0 });
  });
});
