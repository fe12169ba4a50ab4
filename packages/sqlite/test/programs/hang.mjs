// A helper that is ready and answers nothing, nor ends when it is told to.
process.on("message", () => undefined);
process.on("disconnect", () => undefined);
setInterval(() => undefined, 1000);
process.send({ type: "ready" });
