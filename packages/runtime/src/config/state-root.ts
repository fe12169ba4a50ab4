import { homedir } from "node:os";
import { join, resolve } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** A path with a leading `~` replaced by the home directory, relative to `baseDir` otherwise. */
export function resolvePath(path: string, baseDir: string, env: Env): string {
  const home = env["HOME"] ?? homedir();
  if (path === "~") return home;
  return path.startsWith("~/") ? join(home, path.slice(2)) : resolve(baseDir, path);
}

/** Where locks, journals and the local store are when nothing says so: `$KEEPSAKE_ROOT`, else `$XDG_DATA_HOME/keepsake`. */
export function defaultStateRoot(cwd: string, env: Env): string {
  const root = env["KEEPSAKE_ROOT"];
  if (root !== undefined && root !== "") return resolvePath(root, cwd, env);
  const data = env["XDG_DATA_HOME"];
  // The XDG base directory specification: a relative path is invalid and ignored.
  if (data?.startsWith("/") === true) return join(data, "keepsake");
  return join(env["HOME"] ?? homedir(), ".local", "share", "keepsake");
}
