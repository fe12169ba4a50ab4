// node capture-as-other.mjs <url of the source> <memory> <scratch>: prints what became of each database.
const [url, memory, scratchDir] = process.argv.slice(2);
const { sqlite } = await import(url);
const session = await sqlite({ include: ["**"], required: ["declared.db"] }).open({
  agent: { agent: "ana", tenant: "acme" },
  paths: { memory },
  scratchDir,
  claimed: [],
});
await session.pin();
const found = {};
for await (const { path, type, reason, code } of session.entries()) {
  found[path] = type === "omitted" ? `${reason} ${code}` : type;
}
await session[Symbol.asyncDispose]();
console.log(JSON.stringify(found));
