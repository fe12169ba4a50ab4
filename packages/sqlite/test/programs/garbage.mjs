// node garbage.mjs <module> <rounds>: leaves objects of better-sqlite3 behind while V8 collects in the middle of computing.
const [specifier, rounds] = process.argv.slice(2);
const module = await import(specifier);
const Database = module.Database ?? module.default;
const connection = new Database(":memory:");
let garbage = [];

for (let n = 0; n < Number(rounds); n++) {
  const statement = connection.prepare("SELECT 1");
  [...statement.iterate()];
  connection.pragma("user_version");
  if (n % 10 === 0) new Database(":memory:").exec("SELECT 1").close();
  garbage = new Array(1000).fill(n);
  if (n % 2 === 0) await null;
}
process.stdout.write(`alive after ${garbage[0] + 1} rounds`);
