import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseGitConfig } from "../src/repository/config-file.js";
import { neutraliseConfig } from "../src/restore/neutral-config.js";
import { attempt, freshDir } from "./harness.js";

/** What git itself reads, as `name` newline `value` pairs. */
function asGit(text: string): string[] | undefined {
  const file = join(freshDir(), "config");
  writeFileSync(file, text);
  const read = attempt("/", "config", "--file", file, "--list", "--null");
  return read.ok ? read.text.split("\0").filter((line) => line !== "") : undefined;
}

function asOurs(text: string): string[] | undefined {
  return parseGitConfig(text)?.map(({ section, subsection, key, value }) => {
    const name =
      section === "" ? key : subsection === undefined ? `${section}.${key}` : `${section}.${subsection}.${key}`;
    return value === undefined ? name : `${name}\n${value}`;
  });
}

const TEXTS = [
  "",
  "[core]\n\tbare = false\n",
  "[core] bare = false ; comment\n[core]fsmonitor=x#y\n",
  '[a "b c"]\n k = "v ; not # comment"  # comment\n',
  '[a "b\\"c\\\\d"]\nk=1\n',
  "[A.Sub]\nKey\n",
  '[a]\nk = one \\\n  two\nl = \\"x\\" \\t \\n end\n',
  "[a]\r\nk = v\r\n",
  "\ufeff[a]\nk = v\n",
  '[a]\nk = "open\n',
  "[a\nk = v\n",
  "k = v\n",
  "[a]\nk = \\q\n",
  "[a]\n1k = v\n",
  "[a] ; x\n# y\nk=v",
  '[alias]\n\tx = "!echo \\"a b\\""\n',
  "[a]\nk =    spaces   inside   \n",
  '[a]\nk = "  kept  "  \n',
];

describe("reading a git configuration", () => {
  it("agrees with git", () => {
    for (const text of TEXTS) expect(asOurs(text), JSON.stringify(text)).toEqual(asGit(text));
  });

  it("writes what git reads as the harmless part of it", () => {
    for (const text of TEXTS) {
      const neutral = neutraliseConfig(
        `${text}\n[core]\n\teditor = evil\n[user]\n\tname = "a \\\\ \\"b\\" # c\\n"\n`,
        [],
      );
      const read = asGit(neutral.text) ?? ["unreadable"];
      expect(
        read.filter((line) => /editor|alias|fsmonitor/.test(line)),
        text,
      ).toEqual([]);
      if (asGit(text) !== undefined) expect(read.at(-1)).toBe('user.name\na \\ "b" # c\n');
    }
  });

  it("keeps a plain configuration byte for byte", () => {
    const text = '# mine\n[core]\n\tbare = false\n[remote "origin"]\n\turl = git@example.org:a/b.git\n';
    expect(neutraliseConfig(text, [])).toEqual({ text, disabled: [] });
  });

  it("knows an address that names a program", () => {
    for (const url of ["ext::sh -c x", "-oProxyCommand=x", "foo::bar"]) {
      expect(neutraliseConfig(`[remote "o"]\n\turl = ${url}\n`, []).disabled).toEqual(["remote.o.url"]);
    }
  });
});
