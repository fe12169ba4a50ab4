/** Compiles the JavaScript and TypeScript of the documentation against the built packages, and runs what says so. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "../lib.mjs";

const ENDINGS = { js: ".mts", mjs: ".mts", ts: ".mts" };

/**
 * @param blocks of language js, mjs or ts
 * @param temporary an existing empty folder
 * @returns problems with file and line of the text
 */
export async function checkCode(blocks, temporary) {
  if (blocks.length === 0) return [];
  const place = join(temporary, "code");
  mkdirSync(place);
  symlinkSync(join(root, "examples/node_modules"), join(place, "node_modules"));
  const named = blocks.map((block, index) => ({
    ...block,
    path: join(place, `block-${index}${ENDINGS[block.language]}`),
  }));
  // `export {}` makes a module of what imports nothing; on the last line, so that line numbers stay.
  for (const { path, text, settings } of named) {
    writeFileSync(path, `${text}export {};\n`);
    if (settings.with !== undefined) copyFileSync(join(root, settings.with), join(place, basename(settings.with)));
  }
  const typed = named.filter(({ language }) => language === "ts");
  const untyped = named.filter(({ language }) => language !== "ts");
  // In JavaScript a parameter has no type to write down.
  const problems = [
    ...(await compile(typed, place, { noImplicitAny: true })),
    ...(await compile(untyped, place, { noImplicitAny: false })),
  ];
  for (const block of named) {
    const failed = problems.some(({ path }) => path === block.path);
    if (!failed && block.flags.has("run")) problems.push(...runCompiled(block, temporary));
  }
  return problems;
}

async function compile(named, place, strictness) {
  const { default: ts } = await import("typescript");
  const program = ts.createProgram({
    rootNames: named.map(({ path }) => path),
    options: {
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
      strict: true,
      allowJs: true,
      ...strictness,
      skipLibCheck: true,
      rootDir: place,
      outDir: join(place, "out"),
    },
  });
  const found = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  return found.flatMap((diagnostic) => {
    const block = named.find(({ path }) => path === diagnostic.file?.fileName);
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
    if (!block) return [{ file: diagnostic.file?.fileName ?? "(compiler)", line: 0, message }];
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
    return [{ path: block.path, file: block.file, line: block.line + line, message: `does not compile: ${message}` }];
  });
}

/** Compiled, because `await using` is more than the oldest supported Node reads. */
function runCompiled({ file, line, path }, temporary) {
  const place = join(temporary, "code");
  const compiled = path.replace(place, join(place, "out")).replace(/\.mts$/, ".mjs");
  const cwd = join(temporary, `run-${path.replace(/\W+/g, "-").slice(-20)}`);
  mkdirSync(cwd);
  const env = { ...process.env, HOME: cwd, XDG_DATA_HOME: join(cwd, "data") };
  const { status, stderr } = spawnSync(process.execPath, [compiled], { cwd, env, encoding: "utf8", timeout: 60_000 });
  return status === 0 ? [] : [{ file, line, message: `ended with ${status}\n${stderr}` }];
}
