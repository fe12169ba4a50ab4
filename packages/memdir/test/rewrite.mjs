// node rewrite.mjs <small> <large>: rewrites two files without pause, each time with one letter alone
import { writeFileSync } from "node:fs";

const [small, large] = process.argv.slice(2);
for (let turn = 0; ; turn++) {
  const letter = String.fromCharCode(97 + (turn % 26));
  writeFileSync(small, letter.repeat(100_000));
  writeFileSync(large, letter.repeat(600_000));
  if (turn === 1) process.stdout.write("started\n");
}
