// A LangGraph agent: puts one checkpoint after the other into a SqliteSaver that it keeps open, and tells each.
// SqliteSaver makes statements that it lets go of, which would end this process on Node 24.
import "../../packages/sqlite/dist/process/better-sqlite.js";
import { emptyCheckpoint, uuid6 } from "@langchain/langgraph-checkpoint";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";

const saver = SqliteSaver.fromConnString(process.argv[2]);
let config = { configurable: { thread_id: "ana", checkpoint_ns: "" } };
for (let step = 1; ; step++) {
  const checkpoint = { ...emptyCheckpoint(), id: uuid6(step), channel_values: { messages: [`step ${step}`], step } };
  config = await saver.put(config, checkpoint, { source: "loop", step, parents: {} });
  await saver.putWrites(config, [["messages", `write ${step}`]], `task-${step}`);
  process.stdout.write(`${step}\n`);
  await new Promise((resolve) => setTimeout(resolve, 2));
}
