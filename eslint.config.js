import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** One container per Keepsake, made by the runtime: what reaches for a global one is refused. */
const GLOBAL_CONTAINER = {
  paths: [
    {
      name: "tsyringe",
      importNames: ["container", "singleton", "registry", "autoInjectable", "instance"],
      message: "One child container per Keepsake: no global container, no registration at import time.",
    },
  ],
};

/** What better-sqlite3 makes would be collected, which ends the process on Node 24.19 and newer. */
const BARE_SQLITE = {
  name: "better-sqlite3",
  allowTypeImports: true,
  message: "Import it from process/better-sqlite.js.",
};

/** What a program in plain JavaScript may use undeclared. In TypeScript the compiler knows. */
const NODE_GLOBALS = [
  ...["AbortController", "AbortSignal", "Buffer", "TextDecoder", "TextEncoder", "URL", "console", "fetch", "module"],
  ...["clearInterval", "clearTimeout", "performance", "process", "setImmediate", "setInterval", "setTimeout"],
];

const NO_DEFAULT_EXPORT = {
  selector: "ExportDefaultDeclaration, ExportNamedDeclaration > ExportSpecifier[exported.name='default']",
  message: "Export by name; only a plugin has a default export.",
};
const NO_CONTAINER_NAMESPACE = {
  selector: "ImportDeclaration[source.value='tsyringe'] > ImportNamespaceSpecifier",
  message: "Import the names you need from tsyringe.",
};

export default defineConfig(
  { ignores: ["**/dist/**", "**/node_modules/**", "coverage/**", "**/fixtures/**"] },
  {
    files: ["**/*.ts"],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "max-lines": ["error", { max: 450, skipBlankLines: false, skipComments: false }],
      "no-restricted-imports": ["error", GLOBAL_CONTAINER],
      "no-restricted-syntax": ["error", NO_DEFAULT_EXPORT, NO_CONTAINER_NAMESPACE],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "all", caughtErrorsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `process.env["NAME"]` shows that the name is not known to the type.
      "@typescript-eslint/dot-notation": ["error", { allowIndexSignaturePropertyAccess: true }],
      // An adapter keeps a promise by being async, and a generator of a port is async even where it does not wait.
      "@typescript-eslint/require-await": "off",
      // A port's optional member is `void`-returning or a promise, by the implementer's choice.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-invalid-void-type": ["error", { allowInGenericTypeArguments: true }],
      // A class that only the container constructs may be all decorators.
      "@typescript-eslint/no-extraneous-class": ["error", { allowWithDecorator: true }],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    extends: [js.configs.recommended],
    languageOptions: { globals: Object.fromEntries(NODE_GLOBALS.map((name) => [name, "readonly"])) },
  },
  {
    // What a configuration names by its package, the package exports as default.
    files: [
      ...["packages/*/src/plugin.ts", "packages/*/src/**/*.plugin.ts", "packages/opendal/src/index.ts"],
      ...["examples/**/*.ts", "*.config.ts"],
    ],
    rules: { "no-restricted-syntax": ["error", NO_CONTAINER_NAMESPACE] },
  },
  {
    files: ["packages/sqlite/src/**/*.ts"],
    ignores: ["packages/sqlite/src/process/better-sqlite.ts"],
    rules: { "@typescript-eslint/no-restricted-imports": ["error", { paths: [BARE_SQLITE] }] },
  },
  {
    // No tsconfig.json above these files includes them: their project is named here.
    files: [
      ...["packages/*/test/**/*.ts", "packages/cli/templates/**/*.ts", "test/**/*.ts", "examples/**/*.ts"],
      "vitest.config.ts",
    ],
    languageOptions: { parserOptions: { projectService: false, project: ["tsconfig.tests.json"] } },
    rules: {
      "max-lines": "off",
      // Tests hand over what a type forbids, on purpose, and define plugins.
      "no-restricted-syntax": ["error", NO_CONTAINER_NAMESPACE],
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", package: "vitest", name: ["test", "it", "describe"] }] },
      ],
      "@typescript-eslint/no-unsafe-type-assertion": "off",
      "@typescript-eslint/no-empty-function": "off",
      "@typescript-eslint/only-throw-error": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },
);
