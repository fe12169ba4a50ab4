import type { HealthFinding, OpOptions } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { unfinishedUploads } from "../objects/unfinished-uploads.js";
import type { KnownServer } from "./known-server.js";
import { type ServerTraits, traitsToWire } from "./server-traits.js";

/** Signatures are refused when clocks differ by a quarter of an hour. */
const SKEW_WARNING_MS = 60_000;
/** As the engine's sweep. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/** What a store can say of its bucket. */
export async function inspectStore(
  connection: S3Connection,
  server: KnownServer,
  { wantsRetention, signal }: OpOptions & { readonly wantsRetention: boolean },
): Promise<readonly HealthFinding[]> {
  const traits = await server.tryOut({ signal });
  return [
    publishing(connection, traits),
    ...(traits.listsAtOnce ? [] : [lateLists(connection)]),
    ...(wantsRetention && traits.objectLock !== "enabled" ? [noObjectLock(connection)] : []),
    ...transport(connection),
    ...(await uploads(connection, signal)),
  ];
}

/** What the locks can say of it. */
export async function inspectLocks(
  connection: S3Connection,
  server: KnownServer,
  { signal }: OpOptions,
): Promise<readonly HealthFinding[]> {
  const traits = await server.tryOut({ signal });
  const details = traitsToWire(traits);
  const where = connection.describe();
  const versions: HealthFinding[] = traits.versioned ? [manyVersions(where)] : [];
  if (traits.conditionalPut && traits.ifMatch !== "none") {
    const message = `${where}: of several machines one gets a lock.`;
    return [{ name: "locks", status: "ok", message, details }, ...versions];
  }
  return [
    {
      name: "locks",
      status: "warning",
      message: `${where}: the server has no conditional writes, so that two machines can get one lock at the same moment.`,
      hint: "Let one machine alone work on an agent, or keep the locks elsewhere.",
      details,
    },
    ...versions,
  ];
}

function manyVersions(where: string): HealthFinding {
  return {
    name: "locks",
    status: "warning",
    message: `${where}: the bucket keeps versions, and every renewal of a lock leaves one.`,
    hint: "Let the bucket's lifecycle remove old versions below .keepsake-s3/, or keep the locks in another bucket.",
  };
}

function publishing(connection: S3Connection, traits: ServerTraits): HealthFinding {
  const details = traitsToWire(traits);
  const where = connection.describe();
  if (!traits.conditionalPut) {
    return {
      name: "no_overwrite",
      status: "warning",
      message: `${where}: the server writes over what exists. That nothing is overwritten is looked at first, and hangs on unique names.`,
      hint: "Let one machine alone write, or use a server with conditional writes (If-None-Match).",
      details,
    };
  }
  const large = traits.conditionalMultipart
    ? "nothing is overwritten, whoever else writes at the same moment"
    : "a snapshot's record never overwrites another; its body, which has a unique name, is looked for first";
  return { name: "no_overwrite", status: "ok", message: `${where}: ${large}.`, details };
}

function lateLists(connection: S3Connection): HealthFinding {
  return {
    name: "listing",
    status: "warning",
    message: `${connection.describe()}: a listing shows late what was written or deleted.`,
    hint: "A new snapshot may be missing from a list for a while; name it by its whole id.",
  };
}

function noObjectLock(connection: S3Connection): HealthFinding {
  return {
    name: "object_lock",
    status: "problem",
    message: `${connection.describe()}: \`object_lock\` is set, and the bucket has no object lock.`,
    hint: "Make a bucket with object lock enabled, or remove `object_lock`.",
  };
}

function transport(connection: S3Connection): HealthFinding[] {
  const findings: HealthFinding[] = [];
  const skewMs = connection.clock.skewMs() ?? 0;
  if (Math.abs(skewMs) > SKEW_WARNING_MS) {
    findings.push({
      name: "clock",
      status: "warning",
      message: `This machine's clock is ${String(Math.round(Math.abs(skewMs) / 1000))} s ${skewMs > 0 ? "ahead of" : "behind"} the server's.`,
      hint: "Set it: servers refuse what is signed at a time that is too far off.",
      details: { skew_ms: skewMs },
    });
  }
  if (connection.isPlain) {
    findings.push({
      name: "transport",
      status: "warning",
      message: `${connection.describe()}: what is sent can be read on the way.`,
      hint: "Use https, unless the server is on this machine.",
    });
  }
  return findings;
}

async function uploads(connection: S3Connection, signal: AbortSignal | undefined): Promise<HealthFinding[]> {
  const findings: HealthFinding[] = [];
  for await (const { key, sizeBytes, activeAtMs } of unfinishedUploads(connection, { signal })) {
    const ageMs = (connection.clock.now() ?? Date.now()) - activeAtMs;
    const isOld = ageMs > ABANDONED_AFTER_MS;
    findings.push({
      name: "unfinished_upload",
      status: isOld ? "warning" : "ok",
      message: `${key.slice(connection.prefix.length)} was not uploaded to its end: ${isOld ? "a crash left it" : "an upload in flight, or left by a crash"}.`,
      ...(isOld ? { hint: "`keepsake recover` removes it; so does any operation." } : {}),
      details: { key, size_bytes: sizeBytes, active_at_ms: activeAtMs },
    });
  }
  return findings;
}
