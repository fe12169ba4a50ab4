import { randomUUID } from "node:crypto";
import { describe } from "vitest";
import { s3Store, type S3StoreOptions } from "../../src/index.js";
import { FaultServer } from "./fault-server.js";
import { Truth } from "./truth.js";

/** Where a test's objects lie on the S3 server of the tests. */
export interface TestPlace {
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix: string;
}

const ADDRESS = "KEEPSAKE_TEST_S3";
const KEPT = ".keepsake-s3/server.json";
const isThere = lookFor();

function lookFor(): boolean {
  if (process.env[ADDRESS] !== undefined) return true;
  if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw new Error(`${ADDRESS} is required and not set`);
  console.log(`${ADDRESS} is not set: what needs an S3 server is left out (node scripts/s3-server.mjs npm test)`);
  return false;
}

/** A group of tests that needs the server. */
export function onServer(name: string, body: () => void): void {
  describe.runIf(isThere)(name, body);
}

/** A place of a test's own. @param variable names another bucket of the server */
export function testPlace(variable = ADDRESS): TestPlace {
  const address = new URL(process.env[variable] ?? "");
  return { endpoint: address.origin, bucket: address.pathname.slice(1), prefix: `test/${randomUUID()}` };
}

/** A store at a place of its own, or at a given one. */
export function testStore(options: Partial<S3StoreOptions> = {}): ReturnType<typeof s3Store> {
  return s3Store({ ...testPlace(), ...options });
}

/** A place of its own, reached through what can go wrong on the way. */
export interface FaultBench extends AsyncDisposable {
  readonly faults: FaultServer;
  /** with the address of the faults */
  readonly place: TestPlace;
  readonly truth: Truth;
}

export async function faultBench(): Promise<FaultBench> {
  const direct = testPlace();
  const faults = await FaultServer.before(direct.endpoint);
  const place = { ...direct, endpoint: faults.endpoint };
  const truth = new Truth(direct);
  return {
    faults,
    place,
    truth,
    async [Symbol.asyncDispose]() {
      await truth[Symbol.asyncDispose]();
      await faults[Symbol.asyncDispose]();
    },
  };
}

let tried: Promise<object> | undefined;

/** Lets a place begin with what is known of the server, so that nothing has to be tried out while faults happen. */
export async function makeKnown({ place, truth }: Pick<FaultBench, "place" | "truth">): Promise<void> {
  tried ??= tryOut();
  const kept = { ...(await tried), place: `${place.endpoint} ${place.bucket}` };
  await truth.put(KEPT, JSON.stringify(kept));
}

async function tryOut(): Promise<object> {
  const place = testPlace();
  await using truth = new Truth(place);
  await using store = testStore(place);
  await store.inspect?.();
  return JSON.parse(await truth.text(KEPT)) as object;
}
