import { type GitHead, NO_GIT_HEAD } from "@keepsake/core";
import type { ObjectStore } from "../objects/object-store.js";
import { parseCommit, subjectOf } from "../objects/parse.js";
import type { FileMap } from "./file-map.js";
import { readThrough } from "./isomorphic.js";
import { readRefs } from "./refs.js";

/** What the manifest says of HEAD. An unborn branch has the id of zeros and the subject "(unborn)". */
export async function headFacts(files: FileMap, store: ObjectStore): Promise<GitHead> {
  const { head } = readRefs(files, store.kind);
  if (head.oid === undefined) return { ...NO_GIT_HEAD, headSubject: "(unborn)" };
  const unreadable = { ...NO_GIT_HEAD, headOid: head.oid, headSubject: "(unreadable)" };
  if (store.kind.algorithm === "sha1") {
    const commit = await readThrough(files, store, head.oid);
    if (commit === undefined) return unreadable;
    const { author, committer, message } = commit;
    return {
      headOid: head.oid,
      headSubject: subjectOf(message),
      headAuthor: `${author.name} <${author.email}>`,
      headTsMs: committer.timestamp * 1000,
    };
  }
  const commit = parseCommit(store.read(head.oid), store.kind);
  if (commit === undefined) return unreadable;
  return { headOid: head.oid, headSubject: commit.subject, headAuthor: commit.author, headTsMs: commit.committedAtMs };
}
