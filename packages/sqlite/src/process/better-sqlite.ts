import Database from "better-sqlite3";

/**
 * better-sqlite3, whose objects live as long as this process. Everything here that opens a database gets it from this module.
 *
 * Version 12 is the last that Node 20 can load. Compiled with the headers of Node 24.19 or newer, where `node::ObjectWrap`
 * takes back a hook of its environment in its destructor, it aborts the process when a collection that runs outside of any
 * context finds one of its objects: measured for databases, statements and iterators, closed ones too, within a second of
 * a loop that allocates. What is never collected is never destroyed. At the end of the process Node destroys what is left
 * inside of a context, and `process.exit` destroys nothing.
 *
 * What is kept costs about 1 KiB for a database, and 2.5 to 4.5 KiB for a statement. The process ends with its capture,
 * restore or comparison, so that this grows with the number of tables, not with what is in them; what is asked again and
 * again is {@link prepared} once.
 */
keepNativeObjects();
export { Database };

const prepares = new WeakMap<Database.Database, Map<string, Database.Statement>>();

/** The statement of this text, made once for each connection. Always to be used in the same mode, and by nobody twice at once. */
export function prepared(connection: Database.Database, sql: string): Database.Statement {
  const known = prepares.get(connection) ?? new Map<string, Database.Statement>();
  prepares.set(connection, known);
  const statement = known.get(sql) ?? connection.prepare(sql);
  known.set(sql, statement);
  return statement;
}

type Method = (this: object, ...args: unknown[]) => unknown;

/**
 * Sees to it that no object of better-sqlite3 is collected in this process, whoever makes it. It has to be done below its
 * JavaScript, which makes statements (`pragma`) and backups that it shows to nobody.
 */
function keepNativeObjects(): void {
  const kept = new Set<unknown>();
  const probe = new Database(":memory:");
  for (const name of ["prepare", "backup", "exec", "close"]) keep(nativeOf(probe), name, kept);
  keep(probe.prepare("SELECT 1"), "iterate", kept);
  probe.close();
}

/** better-sqlite3 has its native object in the only property that is named by a symbol. */
function nativeOf(connection: Database.Database): unknown {
  const [symbol] = Object.getOwnPropertySymbols(connection);
  return symbol === undefined ? undefined : Reflect.get(connection, symbol);
}

/** Lets a method keep the object, and what it returns. A version that was put in the place of ours may have none such. */
function keep(instance: unknown, name: string, kept: Set<unknown>): void {
  const prototype = Object.getPrototypeOf(instance ?? {}) as Record<string, Method>;
  const method = prototype[name];
  if (method === undefined) return;
  prototype[name] = function (...args) {
    const result = Reflect.apply(method, this, args);
    kept.add(this).add(result);
    return result;
  };
}
