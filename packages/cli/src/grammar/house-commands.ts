import type { Command } from "commander";
import type { Bind } from "./bind.js";
import { gather } from "./values.js";

/** The commands around the snapshots: setting up, looking after, asking what there is. */
export function addHouseCommands(program: Command, bind: Bind): void {
  bind(
    program
      .command("init")
      .description("write a commented keepsake.config.yaml for the memory found here; never overwrites")
      .option("--memory <dir>", "the memory directory (else this one)")
      .option("--agent <agent>", "the agent's name (else the memory directory's)"),
    async () => (await import("../commands/init.js")).init,
  );
  bind(
    program
      .command("recover")
      .description("finish or undo an interrupted restore, sweep what crashes left")
      .option("--agent <agent>", "only this agent"),
    async () => (await import("../commands/recover.js")).recover,
  );
  bind(
    program
      .command("sync")
      .description("copy what one of two stores lacks, or has damaged, and the other has whole; both ways")
      .argument("[store]", "a store of the configuration (else primary)")
      .argument("[other]", "another one")
      .option("--with <config>", "the other store is of this configuration: <file> or <file>:<store>")
      .option("--agent <agent>", "only this agent (else all)")
      .option("--deep", "read every bundle that both have: finds damage that keeps the size")
      .option("--dry-run", "say what would be copied"),
    async () => (await import("../commands/sync.js")).sync,
  );
  bind(
    program
      .command("doctor")
      .description("configuration, stores, locks, orphans, staleness: what is wrong and what to do")
      .option("--reindex", "rebuild missing and broken records from their bundles")
      .option("--identity <file>", "file with an age identity (repeatable)", gather),
    async () => (await import("../commands/doctor.js")).doctor,
  );
  bind(
    program
      .command("keygen")
      .description("make an age identity")
      .option("--output <file>", "write it there (mode 0600, never over a file); else it is printed"),
    async () => (await import("../commands/keygen.js")).keygen,
  );
  bind(
    program.command("plugins").description("what is loaded, and from where"),
    async () => (await import("../commands/plugins.js")).plugins,
  );
  const plugin = program.command("plugin").description("work on a plugin of your own");
  bind(
    plugin
      .command("create")
      .description("write a small working package, with its conformance test, to be made your own")
      .argument("<kind>", "store, codec, source, redaction, state or lock")
      .argument("<name>", "the package's name: my-store, @acme/store")
      .option("--dir <dir>", "into this folder, which must not hold anything (else one of its name)"),
    async () => (await import("../commands/plugin-create.js")).pluginCreate,
  );
  bind(
    plugin
      .command("test")
      .description("ask a plugin what its ports promise: the conformance suites, without a test runner")
      .argument("<module>", "a file, a package's folder or a package name")
      .option("--use <provider>", "only the providers of this name")
      .option("--only <case>", "only the cases whose id begins so: store.put")
      .option("--options <file>", "their options by name (YAML, JSON, or .mjs with `conformance` too)"),
    async () => (await import("../commands/plugin-test.js")).pluginTest,
  );
  const rules = program.command("rules").description("the rules that secrets are found by");
  bind(
    rules.command("list").description("every rule of the configured policies"),
    async () => (await import("../commands/rules-list.js")).rulesList,
  );
  bind(
    rules
      .command("test")
      .description("what they find in a text file; exit code 3 when there is anything")
      .argument("<file>", "the text file"),
    async () => (await import("../commands/rules-test.js")).rulesTest,
  );
  const config = program.command("config").description("look at the configuration");
  bind(
    config.command("check").description("check the configuration; lists every problem"),
    async () => (await import("../commands/config-check.js")).configCheck,
  );
  bind(
    config.command("schema").description("print its JSON Schema"),
    async () => (await import("../commands/config-schema.js")).configSchema,
  );
}
