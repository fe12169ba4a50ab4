// node capturing.mjs <url of the source> <memory> <scratch>: opens a capture, holds the databases, and waits to be killed.
const [url, memory, scratchDir] = process.argv.slice(2);
const { sqlite } = await import(url);
const session = await sqlite().open({
  agent: { agent: "ana", tenant: "acme" },
  paths: { memory },
  scratchDir,
  claimed: [],
});
await session.hold();
process.send("ready");
setInterval(() => undefined, 1000);
