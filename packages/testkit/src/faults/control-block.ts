import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { DiskCall, DiskFault, Strike } from "./disk-fault.js";

/** The layout of `struct control` in native/interpose.c, in bytes. */
const SIZE = 48 + 4096;
const WHAT = { killCaller: 1, killMain: 2, fail: 3, short: 4 } as const;
const EVER = 0xffff_ffff_ffff_ffffn;

/** What the interposed library reads and writes while a program runs: two small files. */
export class ControlBlock {
  readonly #control: string;
  readonly #log: string;

  /** @param dir private to one program */
  constructor(dir: string) {
    this.#control = join(dir, "control");
    this.#log = join(dir, "log");
    writeFileSync(this.#control, Buffer.alloc(SIZE));
    writeFileSync(this.#log, "");
  }

  get env(): Readonly<Record<string, string>> {
    return { KEEPSAKE_FAULTS_CONTROL: this.#control, KEEPSAKE_FAULTS_LOG: this.#log };
  }

  /** From here on calls below `within` are counted, and the strike happens. @param main the program's first process */
  arm(within: string, main: number, strike?: Strike): void {
    const block = Buffer.alloc(SIZE);
    const root = Buffer.from(within);
    if (root.length >= SIZE - 48) throw new RangeError("The path of the folder is too long.");
    block.writeUInt32LE(main, 12);
    if (strike !== undefined) writeStrike(block, strike);
    block.writeUInt32LE(root.length, 44);
    root.copy(block, 48);
    truncateSync(this.#log);
    this.#write(block);
    this.#write(Buffer.from([1, 0, 0, 0]));
  }

  disarm(): void {
    this.#write(Buffer.from([0, 0, 0, 0]));
  }

  /** The calls since it was armed, in their order. */
  calls(): readonly DiskCall[] {
    const main = readFileSync(this.#control).readUInt32LE(12);
    return this.#lines()
      .filter((fields) => fields.length > 2)
      .map((fields) => callOf(fields, main))
      .sort((a, b) => a.ordinal - b.ordinal);
  }

  /** Every process that was started since it was armed. */
  processes(): readonly number[] {
    return this.#lines().flatMap(([what, pid]) => (what === "process" ? [Number(pid)] : []));
  }

  #lines(): string[][] {
    const text = readFileSync(this.#log, "utf8");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\t"));
  }

  /** Written in place: the file is mapped by the programs. */
  #write(bytes: Buffer): void {
    const file = openSync(this.#control, "r+");
    writeSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
  }
}

function writeStrike(block: Buffer, { at, fault }: Strike): void {
  block.writeUInt32LE(whatOf(fault), 4);
  if ("error" in fault) {
    block.writeUInt32LE(constants.errno[fault.error], 8);
    block.writeUInt32LE(fault.error === "ENOSPC" ? 1 : 0, 40);
  }
  block.writeBigUInt64LE(BigInt(at), 16);
  block.writeBigUInt64LE("error" in fault && fault.thenOn === true ? EVER : BigInt(at), 24);
}

function whatOf(fault: DiskFault): number {
  if ("error" in fault) return WHAT.fail;
  if ("short" in fault) return WHAT.short;
  return fault.kill === "caller" ? WHAT.killCaller : WHAT.killMain;
}

function callOf(fields: readonly string[], main: number): DiskCall {
  const [ordinal, pid, name = "", bytes, takesRoom, struck, path = "", other = ""] = fields;
  return {
    ordinal: Number(ordinal),
    pid: Number(pid),
    inHelper: Number(pid) !== main,
    name,
    path,
    ...(other === "" ? {} : { other }),
    ...(Number(bytes) < 0 ? {} : { bytes: Number(bytes) }),
    takesRoom: takesRoom === "1",
    struck: struck === "1",
  };
}
