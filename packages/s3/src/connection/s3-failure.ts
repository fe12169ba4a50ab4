import {
  type ErrorCode,
  errnoOf,
  isKeepsakeError,
  type JsonObject,
  KeepsakeError,
  type RetryAdvice,
} from "@keepsake/core";

/** What the server or the way to it answered instead of what was asked for. */
export interface S3Failure {
  /** the server's word ("NoSuchKey"), or the system's ("ECONNREFUSED") */
  readonly name: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  /** how often it was tried */
  readonly attempts: number;
}

/** @returns undefined for what came from neither server nor network: a defect */
export function failureOf(error: unknown): S3Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const errno = errnoOf(error) ?? errnoOf(error.cause);
  const { $metadata, code } = error as { $metadata?: SdkMetadata; code?: unknown };
  const status = $metadata?.httpStatusCode;
  const isNetwork = errno !== undefined || NETWORK.has(error.name) || (typeof code === "string" && NETWORK.has(code));
  if (status === undefined && !isNetwork) return undefined;
  return {
    name: errno ?? (typeof code === "string" && status === undefined ? code : error.name),
    status,
    requestId: $metadata?.requestId,
    attempts: $metadata?.attempts ?? 1,
  };
}

interface SdkMetadata {
  readonly httpStatusCode?: number;
  readonly requestId?: string;
  readonly attempts?: number;
}

/** Names and codes of what goes wrong on the way. */
const NETWORK = new Set([
  "TimeoutError",
  "NetworkingError",
  "ECONNRESET",
  "ECONNREFUSED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "HPE_INVALID_CONSTANT",
  "ERR_STREAM_PREMATURE_CLOSE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "EPROTO",
]);

interface Meaning {
  readonly code: ErrorCode;
  readonly because: string;
  readonly hint?: string;
  readonly retry?: RetryAdvice;
}

const CLOCK: Meaning = {
  code: "E_PERMISSION",
  because: "the clocks of this machine and of the server differ too much",
  hint: "Set the clock of this machine.",
};
const CREDENTIALS: Meaning = {
  code: "E_PERMISSION",
  because: "the server does not accept the credentials",
  hint: "Check access key, secret key and region.",
};
const EXPIRED: Meaning = { code: "E_PERMISSION", because: "the credentials have expired", hint: "Renew them." };
const NO_CREDENTIALS: Meaning = {
  code: "E_PERMISSION",
  because: "there are no credentials",
  hint: "Set `credentials`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile.",
};
const FULL: Meaning = { code: "E_NO_SPACE", because: "the server has no room, or the quota is used up" };
const ELSEWHERE: Meaning = {
  code: "E_CONFIG",
  because: "the bucket is in another region or at another endpoint",
  hint: "Correct `region` or `endpoint`.",
};
const ARCHIVED: Meaning = {
  code: "E_UNSUPPORTED",
  because: "the object was moved to an archive class",
  hint: "Bring it back with the server's own tools, then try again.",
};
const CHANGED: Meaning = { code: "E_IO", because: "the bytes changed on the way" };
const CERTIFICATE: Meaning = {
  code: "E_IO",
  because: "the server's certificate is not trusted",
  hint: "Name its authority in NODE_EXTRA_CA_CERTS.",
  retry: "permanent",
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoSuchKey: { code: "E_NOT_FOUND", because: "there is none" },
  PreconditionFailed: { code: "E_ALREADY_EXISTS", because: "there is one already" },
  InvalidAccessKeyId: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  InvalidToken: CREDENTIALS,
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  TokenRefreshRequired: EXPIRED,
  CredentialsProviderError: NO_CREDENTIALS,
  RequestTimeTooSkewed: CLOCK,
  RequestExpired: CLOCK,
  PermanentRedirect: ELSEWHERE,
  AuthorizationHeaderMalformed: ELSEWHERE,
  IllegalLocationConstraintException: ELSEWHERE,
  QuotaExceeded: FULL,
  InsufficientCapacity: FULL,
  XMinioStorageFull: FULL,
  InvalidObjectState: ARCHIVED,
  EntityTooLarge: { code: "E_LIMIT", because: "it is larger than the server takes" },
  KeyTooLongError: { code: "E_LIMIT", because: "its name is longer than the server takes" },
  BadDigest: CHANGED,
  XAmzContentSHA256Mismatch: CHANGED,
  XAmzContentChecksumMismatch: CHANGED,
  NotImplemented: { code: "E_UNSUPPORTED", because: "the server does not know this call" },
  DEPTH_ZERO_SELF_SIGNED_CERT: CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CERTIFICATE,
  CERT_HAS_EXPIRED: CERTIFICATE,
  ERR_TLS_CERT_ALTNAME_INVALID: CERTIFICATE,
  TimeoutError: { code: "E_IO", because: "no answer in time" },
  ENOTFOUND: { code: "E_IO", because: "there is no such host", hint: "Check `endpoint` and `region`." },
};

function meaningOf({ name, status = 0 }: S3Failure): Meaning {
  const known = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined;
  if (known !== undefined) return known;
  if (status === 404) return { code: "E_NOT_FOUND", because: "there is none" };
  if (status === 401 || status === 403) return { code: "E_PERMISSION", because: "the server denies access" };
  if (status === 412) return { code: "E_ALREADY_EXISTS", because: "there is one already" };
  if (status === 405 || status === 501) return { code: "E_UNSUPPORTED", because: "the server does not do this" };
  if (status === 507) return FULL;
  if (status >= 500 || status === 429 || status === 409 || status === 408) {
    return { code: "E_IO", because: `the server cannot now: ${name}` };
  }
  if (status >= 300) return { code: "E_IO", because: `the server refuses: ${name}`, retry: "permanent" };
  return { code: "E_IO", because: name };
}

/**
 * What a call to the server threw, as a KeepsakeError. The server's own words are left out of it and of its cause: some
 * servers repeat what was signed, and nobody knows what else.
 *
 * @param sentence what was being done, without a full stop
 */
export function keepsakeErrorOf(error: unknown, sentence: string, context: JsonObject): unknown {
  if (isKeepsakeError(error)) return error;
  const failure = failureOf(error) ?? credentialsFailure(error);
  if (failure === undefined) return error;
  const { code, because, hint, retry } = meaningOf(failure);
  const { name, status, requestId, attempts } = failure;
  return new KeepsakeError(code, `${sentence}: ${because}.`, {
    cause: new Error(`${name}${status === undefined ? "" : `, status ${String(status)}`}`),
    hint,
    ...(retry === undefined ? {} : { retry }),
    context: {
      ...context,
      s3_error: name,
      attempts,
      ...(status === undefined ? {} : { status }),
      ...(requestId === undefined ? {} : { request_id: requestId }),
    },
  });
}

function credentialsFailure(error: unknown): S3Failure | undefined {
  if (!(error instanceof Error) || error.name !== "CredentialsProviderError") return undefined;
  return { name: error.name, status: undefined, requestId: undefined, attempts: 1 };
}

/** True for what another attempt may mend: a broken connection, a silent server, a busy one. */
export function isPassing(error: unknown): boolean {
  const failure = failureOf(error);
  return failure !== undefined && (failure.status === undefined || failure.status === 429 || failure.status >= 500);
}
