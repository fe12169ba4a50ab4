/** A cluster of one monitor, one storage daemon in memory and one gateway, as children of this process. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cephConfiguration } from "./configuration.mjs";

const START_LIMIT_MS = 90_000;

export async function startCeph({ id, secret }) {
  const directory = mkdtempSync(join(tmpdir(), "keepsake-s3-"));
  const daemons = [];
  const stop = async () => {
    await Promise.all(daemons.map(end));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const [monitorPort, port] = await freePorts(2);
    const fsid = randomUUID();
    for (const folder of ["mon", "osd", "rgw", "run"]) mkdirSync(join(directory, folder));
    writeFileSync(join(directory, "ceph.conf"), cephConfiguration({ directory, fsid, monitorPort, port }));
    const call = (program, ...args) => callProgram(directory, program, args);
    const start = (program, ...args) => daemons.push(startDaemon(directory, program, args));

    makeKeys(directory, call);
    call("monmaptool", "--create", "--fsid", fsid, "--addv", "a", `[v2:127.0.0.1:${monitorPort}]`, "monmap");
    call("ceph-mon", "-i", "a", "--mkfs", "--monmap", "monmap", "--keyring", "keyring");
    start("ceph-mon", "-i", "a");
    const uuid = randomUUID();
    call("ceph", "--connect-timeout", "60", "osd", "new", uuid, "0");
    call("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", uuid);
    start("ceph-osd", "-i", "0");
    call("ceph", "osd", "crush", "add", "osd.0", "1.0", "host=localhost", "root=default");
    start("radosgw", "-n", "client.rgw.a");
    const endpoint = `http://127.0.0.1:${port}`;
    await untilAnswering(endpoint, daemons, directory);
    const user = ["user", "create", "--uid=keepsake", "--display-name=keepsake"];
    call("radosgw-admin", ...user, `--access-key=${id}`, `--secret-key=${secret}`);
    return { endpoint, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Several at once: one after the other could give the same twice. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function makeKeys(directory, call) {
  const all = (...names) => names.flatMap((name) => ["--cap", name, "allow *"]);
  const profile = ["--cap", "mon", "allow profile osd", "--cap", "osd", "allow *", "--cap", "mgr", "allow profile osd"];
  call("ceph-authtool", "--create-keyring", "keyring", "--gen-key", "-n", "mon.", ...all("mon"));
  call("ceph-authtool", "keyring", "--gen-key", "-n", "client.admin", ...all("mon", "osd", "mgr", "mds"));
  call("ceph-authtool", "keyring", "--gen-key", "-n", "osd.0", ...profile);
  call("ceph-authtool", "keyring", "--gen-key", "-n", "client.rgw.a", ...all("mon", "osd"));
}

function callProgram(directory, program, args) {
  const env = { ...process.env, CEPH_CONF: join(directory, "ceph.conf") };
  const result = spawnSync(program, args, { cwd: directory, env, encoding: "utf8", timeout: START_LIMIT_MS });
  if (result.status === 0) return;
  throw new Error(`${program} ${args.join(" ")}: ${result.error?.message ?? result.stderr}`);
}

/** In the foreground, and killed with this process, however that ends. */
function startDaemon(directory, program, args) {
  const log = openSync(join(directory, `${program}.out`), "w");
  const all = ["--pdeathsig", "KILL", program, "-f", "-c", join(directory, "ceph.conf"), ...args];
  return spawn("setpriv", all, { cwd: directory, stdio: ["ignore", log, log] });
}

async function end(daemon) {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = once(daemon, "exit");
  // All it holds is in memory, and nobody wants it.
  daemon.kill("SIGKILL");
  await ended;
}

async function untilAnswering(endpoint, daemons, directory) {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const dead = daemons.find((daemon) => daemon.exitCode !== null || daemon.signalCode !== null);
    if (dead !== undefined || Date.now() > deadline) {
      const what = dead === undefined ? "did not answer in time" : `${dead.spawnargs[3]} ended`;
      throw new Error(`the S3 server ${what}: ${readFileSync(join(directory, "radosgw.out"), "utf8")}`);
    }
    const answers = await fetch(endpoint).then(
      (response) => response.ok,
      () => false,
    );
    if (answers) return;
    await delay(100);
  }
}
