/**
 * What the README shows, in this order: each part is a run of its own, and all of one size become one report. With `remote` a
 * bucket takes part. More than an hour, all in all.
 */
export const TABLE = [
  { size: "small", runs: 5, only: "list,delete,prune" },
  { size: "medium", runs: 5, only: "first,verify,one-file,restore-empty,restore-over,next,unchanged,embedded" },
  { size: "medium", runs: 1, only: "stored" },
  { size: "medium", runs: 3, only: "first,next,unchanged,verify,restore-empty", remote: true },
  { size: "many", runs: 3, only: "first,next,unchanged,verify,restore-empty" },
  { size: "wide", runs: 3, only: "first,next,unchanged,verify" },
  { size: "large", runs: 3, only: "first,verify,next,unchanged" },
  { size: "large", runs: 1, only: "restore-empty,restore-over" },
];
