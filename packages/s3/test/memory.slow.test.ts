import { expect, it } from "vitest";
import { fixture, run } from "./support/processes.js";
import { makeKnown, onServer, testPlace } from "./support/test-server.js";
import { Truth } from "./support/truth.js";

/** The library alone takes some 100 MiB, parts under way 24, garbage that was not yet collected the rest. */
const LIMIT_MIB = 260;

onServer("memory", () => {
  it("does not grow with what is put and read: 1 GiB", async () => {
    const place = testPlace();
    await using truth = new Truth(place);
    await makeKnown({ place, truth });
    const said = await run([fixture("large.mjs"), JSON.stringify(place), "1024"]);
    const { peak, same } = JSON.parse(said) as { readonly peak: number; readonly same: boolean };
    console.log(`peak of 1 GiB: ${peak.toFixed(0)} MiB`);
    expect(same).toBe(true);
    expect(peak).toBeLessThan(LIMIT_MIB);
  });
});
