import type { ConfigEntry } from "../repository/config-file.js";

/**
 * Settings that a foreign configuration may bring. A list of what is harmless, not of what is dangerous: git learns new
 * settings that run programs (core.fsmonitor, filter.*.clean, diff.*.textconv, credential.helper, alias.*, include.path, …)
 * faster than a list of them could.
 */
const KEYS: Readonly<Record<string, readonly string[] | "any">> = {
  core: [
    ...[
      "repositoryformatversion",
      "filemode",
      "bare",
      "logallrefupdates",
      "ignorecase",
      "precomposeunicode",
      "symlinks",
    ],
    ...["autocrlf", "eol", "safecrlf", "quotepath", "abbrev", "compression", "loosecompression", "bigfilethreshold"],
    ...["untrackedcache", "checkstat", "trustctime", "sharedrepository", "protecthfs", "protectntfs", "whitespace"],
    ...["sparsecheckout", "sparsecheckoutcone", "preloadindex", "fscache", "longpaths", "splitindex", "commentchar"],
    ...[
      "multipackindex",
      "commitgraph",
      "deltabasecachelimit",
      "packedgitlimit",
      "packedgitwindowsize",
      "hidedotfiles",
    ],
  ],
  extensions: ["objectformat", "partialclone", "preciousobjects", "noop", "worktreeconfig", "relativeworktrees"],
  user: ["name", "email", "useconfigonly"],
  author: ["name", "email"],
  committer: ["name", "email"],
  remote: [
    ...["url", "pushurl", "fetch", "push", "tagopt", "prune", "prunetags", "mirror", "promisor", "partialclonefilter"],
    ...["skipdefaultupdate", "skipfetchall"],
  ],
  branch: ["remote", "merge", "rebase", "pushremote", "description", "autosetuprebase", "autosetupmerge", "sort"],
  submodule: ["url", "active", "branch", "ignore", "fetchrecursesubmodules", "recurse", "propagatebranches"],
  init: ["defaultbranch"],
  pull: ["rebase", "ff"],
  push: ["default", "autosetupremote", "followtags"],
  fetch: ["prune", "prunetags", "fsckobjects"],
  transfer: ["fsckobjects"],
  receive: ["denycurrentbranch", "denynonfastforwards", "denydeletes", "fsckobjects"],
  merge: ["ff", "conflictstyle", "log", "renames", "renamelimit", "stat"],
  rebase: ["autosquash", "autostash", "stat"],
  rerere: ["enabled", "autoupdate"],
  diff: ["renames", "algorithm", "mnemonicprefix", "noprefix", "context", "colormoved", "renamelimit"],
  commit: ["verbose", "status", "cleanup"],
  log: ["date", "decorate", "abbrevcommit", "follow", "showroot"],
  tag: ["sort"],
  gc: [
    ...["auto", "autopacklimit", "autodetach", "pruneexpire", "reflogexpire", "reflogexpireunreachable", "packrefs"],
    ...["writecommitgraph", "worktreepruneexpire", "aggressivewindow", "aggressivedepth"],
  ],
  pack: ["threads", "window", "depth", "compression", "windowmemory", "packsizelimit", "indexversion"],
  index: ["version", "threads", "sparse"],
  feature: ["manyfiles"],
  maintenance: ["auto", "strategy"],
  i18n: ["commitencoding", "logoutputencoding"],
  lfs: ["repositoryformatversion"],
  status: "any",
  color: "any",
  column: "any",
  advice: "any",
};

const ADDRESSES = new Set(["url", "pushurl"]);

/** True when a setting cannot make git run a program of the bundle's choice, nor read other configuration. */
export function isHarmlessSetting({ section, key, value }: ConfigEntry): boolean {
  const keys = Object.hasOwn(KEYS, section) ? KEYS[section] : undefined;
  if (keys === undefined || (keys !== "any" && !keys.includes(key))) return false;
  if (value?.includes("\0") === true) return false;
  // "ext::sh -c …" names a helper program; "-u…" would be taken for an option of ssh.
  return !(ADDRESSES.has(key) && (value === undefined || /^-|^[A-Za-z0-9+.-]*::/.test(value.trim())));
}
