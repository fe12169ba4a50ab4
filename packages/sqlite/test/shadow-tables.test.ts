import { describe, expect, it } from "vitest";
import { shadowsOf } from "../src/process/diff/shadow-tables.js";

describe("the tables behind a virtual one", () => {
  it("are told by the module's own names", () => {
    const tables = ["notes_data", "notes_mine"].map((name) => ({ name, sql: "" }));
    const found = shadowsOf([{ name: "notes", sql: "", module: "fts5" }, ...tables]);
    expect(found.get("notes")).toEqual(new Map([["data", "notes_data"]]));
  });

  it.each(["unknown", "constructor", "__proto__"])("are all that begin so, of a module called %s", (module) => {
    const found = shadowsOf([
      { name: "notes", sql: "", module },
      { name: "notes_mine", sql: "" },
    ]);
    expect(found.get("notes")).toEqual(new Map([["mine", "notes_mine"]]));
  });
});
