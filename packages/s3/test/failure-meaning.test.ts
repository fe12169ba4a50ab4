import { expect, it } from "vitest";
import { keepsakeErrorOf } from "../src/connection/s3-failure.js";

it.each(["constructor", "toString", "NoSuchThing"])("an error that a server calls %s is one by its status", (name) => {
  const error = Object.assign(new Error("no"), { name, $metadata: { httpStatusCode: 503 } });
  expect(keepsakeErrorOf(error, "It failed", {})).toMatchObject({
    code: "E_IO",
    message: expect.stringContaining(name) as unknown,
  });
});
