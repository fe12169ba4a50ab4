// Notifies whoever waits before there is an answer, as the notification of an answer before does that comes late.
import { workerData } from "node:worker_threads";

const { port, state } = workerData;
port.on("message", (question) => {
  Atomics.store(state, 1, 7);
  const late = setInterval(() => Atomics.notify(state, 0), 5);
  if (question === "never") return;
  setTimeout(() => {
    clearInterval(late);
    port.postMessage([question]);
    Atomics.add(state, 0, 1);
    Atomics.notify(state, 0);
  }, 60);
});
Atomics.store(state, 2, 1);
Atomics.notify(state, 2);
