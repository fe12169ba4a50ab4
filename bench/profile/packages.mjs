import { fileURLToPath } from "node:url";

/** Self time by package and by function, of a .cpuprofile of V8. */
export function readProfile({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const [packages, functions] = [new Map(), new Map()];
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const ms = Math.max(0, timeDeltas[index]) / 1_000;
    const frame = byId.get(id);
    const name = packageOf(frame);
    total += ms;
    add(packages, name, ms);
    if (name !== IDLE) add(functions, `${frame.functionName || "(anonymous)"} · ${name}${placeOf(frame)}`, ms);
  }
  return { totalMs: total, packages: sorted(packages), functions: sorted(functions) };
}

const IDLE = "waiting";
/** What V8 calls that which is in no script. Its `(program)` is native code: calls of the system, compression, hashing. */
const SPECIAL = new Map([
  ["(idle)", IDLE],
  ["(program)", "native code"],
  ["(garbage collector)", "garbage collection"],
]);

function packageOf({ functionName, url }) {
  const special = SPECIAL.get(functionName);
  if (special !== undefined) return special;
  if (url === "") return "native functions";
  if (url.startsWith("node:")) return "node";
  const installed = url.split("/node_modules/").at(-1);
  if (installed !== url)
    return installed
      .split("/")
      .slice(0, installed.startsWith("@") ? 2 : 1)
      .join("/");
  return /\/packages\/([^/]+)\//.exec(url)?.[1] ?? "other";
}

function placeOf({ url, lineNumber }) {
  if (!url.startsWith("file:")) return url === "" ? "" : ` ${url}`;
  return ` ${fileURLToPath(url).split("/").slice(-2).join("/")}:${lineNumber + 1}`;
}

function add(map, key, value) {
  map.set(key, (map.get(key) ?? 0) + value);
}

function sorted(map) {
  return [...map].sort(([, a], [, b]) => b - a);
}
