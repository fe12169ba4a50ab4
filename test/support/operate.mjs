// One operation of the library in a process of its own, which a test stops or hinders at a chosen system call.
// Arguments: the configuration, the state root, the operation and its request, each as JSON or text.
import { openKeepsake } from "@keepsake/standard";

const [config = "{}", stateRoot = "", operation = "", request = "{}"] = process.argv.slice(2);

let keepsake;
try {
  keepsake = await openKeepsake({ config: JSON.parse(config), stateRoot, cwd: stateRoot, env: {} });
  const result = await keepsake[operation](JSON.parse(request));
  process.stdout.write(JSON.stringify({ result }));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: { name: error?.name, code: error?.code, message: String(error) } }));
} finally {
  await keepsake?.[Symbol.asyncDispose]();
}
