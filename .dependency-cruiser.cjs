/** The directions between the packages: `core ← files ← adapters`, `core, files ← engine ← runtime ← standard ← cli`; the command also tests plugins. */

const ADAPTERS = "sqlite|memdir|git|redaction|zstd|age|local-fs|s3|replicated|json-state|memory|opendal|wrappers";

/** A package's sources may reach those of `allowed`, and their own. */
function only(from, allowed) {
  const targets = allowed.length === 0 ? "$1" : `$1|${allowed.join("|")}`;
  return {
    name: `layer-${from === ADAPTERS ? "adapters" : from}`,
    comment: `packages/(${from}) may import of this repository only: ${allowed.join(", ") || "nothing"}`,
    severity: "error",
    from: { path: `^packages/(${from})/src/` },
    to: { path: "^(packages|examples|test|scripts)/", pathNot: `^packages/(${targets})/(src|dist)/` },
  };
}

module.exports = {
  forbidden: [
    only("core", []),
    only("files", ["core"]),
    only(ADAPTERS, ["core", "files"]),
    only("testkit", ["core", "files", "memory"]),
    only("engine", ["core", "files"]),
    only("runtime", ["core", "files", "engine"]),
    only("standard", ["core", "files", "runtime", ADAPTERS]),
    only("cli", ["core", "files", "engine", "runtime", "standard", "testkit"]),
    {
      name: "no-deep-imports",
      comment: "Another package is reached by what it exports, never by a path into it",
      severity: "error",
      from: { path: "^packages/([^/]+)/src/" },
      to: {
        path: "^packages/",
        pathNot: [
          "^packages/$1/",
          "^packages/[^/]+/(src|dist)/(index|plugin)\\.(ts|d\\.ts|js)$",
          "^packages/(core|files)/(src|dist)/basics\\.(ts|d\\.ts|js)$",
          "^packages/age/(src|dist)/keygen\\.(ts|d\\.ts|js)$",
        ],
      },
    },
    {
      name: "container-only-in-engine-and-runtime",
      comment: "A plugin needs neither the container nor a decorator",
      severity: "error",
      from: { path: "^packages/", pathNot: "^packages/(engine|runtime)/" },
      to: { path: "(^|/)node_modules/(tsyringe|reflect-metadata)(/|$)|^(tsyringe|reflect-metadata)$" },
    },
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-tests-from-sources",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { path: "(^test/|/test/|\\.test\\.ts$)", pathNot: "node_modules" },
    },
    {
      name: "only-declared-packages",
      comment: "What a source imports stands in the dependencies of its package.json",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      // Our own packages resolve into packages/; pnpm links only the declared ones, and the rules above hold directions.
      to: { pathNot: "^packages/", dependencyTypes: ["npm-no-pkg", "npm-unknown", "unknown", "undetermined"] },
    },
    {
      name: "no-development-packages-in-sources",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["npm", "npm-optional", "npm-peer", "type-only"] },
    },
    { name: "not-to-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules|/dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      mainFields: ["module", "main", "types"],
    },
  },
};
