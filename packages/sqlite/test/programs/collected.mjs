// node --expose-gc collected.mjs <module>: uses the better-sqlite3 of that module and lets go of everything; prints what was collected.
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

const [specifier, folder] = process.argv.slice(2);
const module = await import(specifier);
const Database = module.Database ?? module.default;
const seen = { database: [], statement: [], failed: [], pragma: [], iterator: [], backup: [] };

function makeAll() {
  const connection = new Database(":memory:");
  const native = connection[Object.getOwnPropertySymbols(connection)[0]];
  const watch = (method, kind) => {
    const original = Object.getPrototypeOf(native)[method];
    native[method] = (...args) => {
      const made = original.apply(native, args);
      seen[kind].push(new WeakRef(made));
      return made;
    };
  };
  seen.database.push(new WeakRef(native));
  watch("prepare", "statement");
  watch("backup", "backup");
  const statement = connection.prepare("SELECT 1");
  const iterator = statement.iterate();
  seen.iterator.push(new WeakRef(iterator));
  iterator.next();
  iterator.return();
  try {
    connection.prepare("SELECT abs(-9223372036854775808)").get();
  } catch {
    seen.failed.push(seen.statement.pop());
  }
  connection.pragma("user_version");
  seen.pragma.push(seen.statement.pop());
  return connection;
}

async function round() {
  const connection = makeAll();
  await connection.backup(join(folder, "backup.db"));
  connection.close();
  // Used by one call only, and one of them never closed.
  for (const use of [(one) => one.exec("SELECT 1"), (one) => one.close()]) {
    const other = new Database(":memory:");
    use(other);
    seen.database.push(new WeakRef(other[Object.getOwnPropertySymbols(other)[0]]));
  }
}

for (let n = 0; n < 10; n++) await round();
for (let n = 0; n < 5; n++) {
  await nextTurn();
  globalThis.gc();
}
const count = (refs) => refs.filter((ref) => ref.deref() === undefined).length;
process.stdout.write(
  JSON.stringify(Object.fromEntries(Object.entries(seen).map(([kind, refs]) => [kind, count(refs)]))),
);
