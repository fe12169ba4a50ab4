import { randomUUID } from "node:crypto";
import { type HealthFinding, isKeepsakeError, type OpOptions } from "@keepsake/core";
import { OWN_FOLDER } from "./object-names.js";
import type { Service } from "./service.js";

const RACERS = 8;

/** Tries out what the declared guarantees hang on, with small objects below a folder of this package's own. */
export async function inspectService(
  service: Service,
  where: string,
  isExclusive: boolean,
  { signal }: OpOptions,
): Promise<readonly HealthFinding[]> {
  const name = `${OWN_FOLDER}trial/${randomUUID()}`;
  const call = { sentence: `${where} could not be tried out`, ...(signal && { signal }) };
  const create = async (options: { readonly ifNotExists?: boolean }): Promise<boolean> => {
    try {
      await service.call({ ...call, isOnce: true }, (operator) => operator.write(name, Buffer.from("trial"), options));
      return true;
    } catch (error) {
      if (!isKeepsakeError(error, "E_ALREADY_EXISTS")) throw error;
      return false;
    }
  };
  try {
    if (!isExclusive) {
      await create({});
      return [looksFirst(where)];
    }
    const racers = await Promise.all(Array.from({ length: RACERS }, () => create({ ifNotExists: true })));
    const isKept = racers.filter(Boolean).length === 1 && !(await create({ ifNotExists: true }));
    return [isKept ? keepsCondition(where) : ignoresCondition(where)];
  } finally {
    // What cannot be removed now, a sweep removes.
    await service.call({ sentence: call.sentence }, (operator) => operator.delete(name)).catch(() => undefined);
  }
}

function keepsCondition(where: string): HealthFinding {
  const message = `${where}: a snapshot's record never overwrites another; its body, which has a unique name, is looked for first.`;
  return { name: "no_overwrite", status: "ok", message };
}

function looksFirst(where: string): HealthFinding {
  return {
    name: "no_overwrite",
    status: "warning",
    message: `${where}: whether something exists is looked at first, so that two who write one name at the same moment are not kept apart.`,
    hint: "Let one machine alone write, or use a service that creates on condition.",
  };
}

function ignoresCondition(where: string): HealthFinding {
  return {
    name: "no_overwrite",
    status: "problem",
    message: `${where}: the service writes over what exists, although OpenDAL says that it does not.`,
    hint: "Let one machine alone write, or use another server.",
  };
}
