import { KeepsakeError, type StoreCapabilities } from "@keepsake/core";
import type { Service } from "./service.js";

/**
 * Services that answer when what was written is safe with them. OpenDAL does not say it of any; of a folder it is not true, for
 * the library does not sync the folder after a rename.
 */
const DURABLE = new Set(["azblob", "b2", "cos", "gcs", "obs", "oss", "s3"]);

/** Services on which an object is seen when its last byte has come. OpenDAL does not say that either. */
const WHOLE = new Set([...DURABLE, "memory", "swift"]);

/** @throws KeepsakeError `E_UNSUPPORTED` for a service that would show objects before they are whole */
export function assertPublishesWhole(service: Service): void {
  if (isStagedOn(service) || WHOLE.has(service.scheme)) return;
  throw new KeepsakeError(
    "E_UNSUPPORTED",
    `The service ${service.scheme} cannot rename, and is not known to show objects only when they are whole.`,
    { context: { scheme: service.scheme } },
  );
}

/** Where a file can be renamed, it may be seen while it is written, and is written elsewhere first. */
export function isStagedOn({ capability }: Service): boolean {
  return capability.rename;
}

/** The condition that nothing exists would be on the file beside, not on the name it is renamed to. */
export function isExclusiveOn(service: Service): boolean {
  return service.capability.writeWithIfNotExists && !isStagedOn(service);
}

/**
 * A rename over what exists is one step in a folder. Of a WebDAV server, say, that is not known: where it deletes first and then
 * moves, a reader sees for a moment no record, and no snapshot.
 */
export function replacesAtomically(service: Service): boolean {
  return !isStagedOn(service) || service.scheme === "fs";
}

/** What the library declares of a service, in our words. */
export function capabilitiesOf(service: Service): StoreCapabilities {
  return {
    durable: DURABLE.has(service.scheme),
    noOverwrite: isExclusiveOn(service) ? "atomic" : "advisory",
    // Many servers keep no condition when an upload in parts is completed, whatever the library says.
    ...(isExclusiveOn(service) && service.capability.writeCanMulti ? { noOverwriteLarge: "advisory" } : {}),
    ranges: service.capability.read,
    ...(service.scheme === "memory" ? { lifetime: "process" } : {}),
  };
}
