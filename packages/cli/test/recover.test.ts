import { mkdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { Bench } from "./support/keepsake.js";

const bench = new Bench();

it("tells what it has done for the others when it fails for one", async () => {
  await bench.write({ "state/journals/default/bob.json": "no journal" });
  for (const as of ["human", "json"] as const) {
    await mkdir(bench.path("state/staging/default/ana/one"), { recursive: true });
    const args = ["recover", "--root", bench.path("state")];
    const ran = await bench.run(as === "json" ? [...args, "--json"] : args);
    expect([ran.code, ran.stdout]).toEqual([4, ""]);
    const removed = bench.path("state/staging/default/ana/one");
    if (as === "human") {
      expect(ran.stderr).toContain(`removed ${removed}\nfailed for agent default/bob: The restore journal`);
    } else {
      const failures = [{ tenant: "default", agent: "bob", code: "E_INTEGRITY" }];
      expect(ran.error()).toMatchObject({ code: "E_INTEGRITY", context: { swept: [removed], failures } });
    }
  }
});
