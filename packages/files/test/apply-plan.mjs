// Runs as a process of its own, to be killed: node apply-plan.mjs apply|revert <plan.json>
import { readFileSync } from "node:fs";
import { applySwap, revertSwap, swapPlanFromJson } from "../dist/index.js";

const [what, file] = process.argv.slice(2);
const plan = swapPlanFromJson(JSON.parse(readFileSync(file, "utf8")));
await (what === "apply" ? applySwap(plan) : revertSwap(plan));
