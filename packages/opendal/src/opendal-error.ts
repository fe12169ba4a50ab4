import { type ErrorCode, KeepsakeError, type RetryAdvice } from "@keepsake/core";

/** The library has no error classes: what went wrong is how a message begins, "NotFound (permanent) at stat, context: …". */
const FORM = /^([A-Z][A-Za-z]+) \((permanent|temporary|persistent)\)/;

const CODE_OF_KIND: Readonly<Record<string, ErrorCode>> = {
  NotFound: "E_NOT_FOUND",
  PermissionDenied: "E_PERMISSION",
  AlreadyExists: "E_ALREADY_EXISTS",
  ConditionNotMatch: "E_ALREADY_EXISTS",
  Unsupported: "E_UNSUPPORTED",
  ConfigInvalid: "E_CONFIG",
};

/** Of system errors the message has the number, where the library has no kind for it. */
const CODE_OF_ERRNO: Readonly<Record<string, ErrorCode>> = {
  "13": "E_PERMISSION",
  "20": "E_NOT_FOUND", // ENOTDIR: a part of the path is an object
  "28": "E_NO_SPACE",
  "30": "E_READ_ONLY",
  "36": "E_NOT_FOUND", // ENAMETOOLONG
  "122": "E_NO_SPACE",
};

/** The request found nobody: no server, no such name, no network. */
const UNREACHED = "=> send http request, source: error sending request for url";

/** What the message of a failed call says, and nothing that is secret in it. */
export interface ErrorContext {
  /** what was being done, without a full stop */
  readonly sentence: string;
  readonly key?: string | undefined;
  /** values that no message may repeat */
  readonly secrets: readonly string[];
}

/** Turns what the library threw into a KeepsakeError, with what it said as the cause. */
export function fromOpendal(error: unknown, { sentence, key, secrets }: ErrorContext): KeepsakeError {
  const said = withoutSecrets(error instanceof Error ? error.message : String(error), secrets);
  const [, kind = "Unexpected", status] = FORM.exec(said) ?? [];
  const code = codeOf(kind, said);
  const cause = new Error(said);
  const reason = code === "E_CONFIG" ? reasonIn(said) : said.includes(UNREACHED) ? "it cannot be reached" : undefined;
  return new KeepsakeError(code, `${sentence} (${kind}${reason === undefined ? "" : `: ${reason}`}).`, {
    cause,
    context: { ...(key === undefined ? {} : { key }), kind },
    ...(code === "E_IO" ? { retry: adviceOf(kind, status) } : {}),
  });
}

/**
 * What the library says of options, after the arrow: "root is not specified". Of other errors what stands there may be a server's
 * whole answer, and stays in the cause. Of a value that is not among the secrets nobody knows whether it is one: what the library
 * quotes is left out.
 */
function reasonIn(said: string): string | undefined {
  const [, reason = ""] = /=> ([^\n]*)/.exec(said) ?? [];
  const plain = reason
    .replaceAll(/(["'`]).*?\1/g, "***")
    .replace(/, source: .*$/, "")
    .replace(/[.\s]+$/, "")
    .slice(0, 200);
  return plain === "" ? undefined : plain;
}

function codeOf(kind: string, said: string): ErrorCode {
  const [, errno = ""] = /\(os error (\d+)\)/.exec(said) ?? [];
  return CODE_OF_KIND[kind] ?? CODE_OF_ERRNO[errno] ?? "E_IO";
}

/** "persistent" is what stayed after the library had tried it several times: later it may be otherwise. */
function adviceOf(kind: string, status: string | undefined): RetryAdvice {
  return status === "permanent" && kind !== "RateLimited" ? "permanent" : "temporary";
}

/** A signed address carries its signature in the query, and any address may carry a password before its host. */
function withoutSecrets(said: string, secrets: readonly string[]): string {
  const open = secrets.filter((secret) => secret !== "").reduce((text, secret) => text.replaceAll(secret, "***"), said);
  return open
    .replaceAll(/(https?:\/\/)[^\s/?#"]*@/g, "$1***@")
    .replaceAll(/(https?:\/\/[^\s?,"]*)\?[^\s,"]*/g, "$1?***");
}
