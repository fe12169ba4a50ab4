/** Bars of the times by operation, each operation on a scale of its own: what is compared is who, not what. */
import { seconds } from "./units.mjs";

const SHOWN = ["first", "next", "unchanged", "verify", "restore-empty", "restore-over", "one-file", "list", "prune"];
const COLOURS = ["#1f6feb", "#79b8ff", "#d1495b", "#8d6a9f", "#b39cc0", "#5f7f6f", "#9fb8a8"];
const [BAR, GAP, LEFT, WIDTH, TOP] = [15, 14, 190, 900, 56];

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const text = (x, y, content, more = "") => `<text x="${x}" y="${y}" ${more}>${escaped(content)}</text>`;

/** @returns an SVG image of one size's report */
export function chartOf({ size, operations, date, machine }, titles) {
  const parts = [];
  let y = TOP;
  for (const operation of SHOWN.filter((id) => operations[id] !== undefined)) {
    const bars = Object.entries(operations[operation]).filter(([name]) => isStore(name));
    const longest = Math.max(...bars.map(([, { wallMs }]) => wallMs));
    y += BAR;
    parts.push(text(10, y, titles.get(operation) ?? operation, 'font-weight="600"'));
    for (const [name, { wallMs }] of bars) {
      const length = Math.max(2, ((WIDTH - LEFT - 80) * wallMs) / longest);
      y += BAR + 3;
      parts.push(
        text(LEFT - 8, y, name, 'text-anchor="end"'),
        `<rect x="${LEFT}" y="${y - BAR + 4}" width="${length.toFixed(1)}" height="${BAR - 2}" fill="${colourOf(name)}"/>`,
        text(LEFT + length + 6, y, `${seconds(wallMs)} s`),
      );
    }
    y += GAP;
  }
  const title = text(
    10,
    22,
    `Keepsake beside its peers, ${size} memory: shorter is better`,
    'font-size="15" font-weight="600"',
  );
  const where = text(10, 42, `${date}, ${machine}; medians, each operation on a scale of its own`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + GAP}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
${[title, where, ...parts].join("\n")}
</svg>
`;
}

const STORES = ["keepsake", "keepsake encrypted", "restic", "borg lz4", "borg zstd,3", "tar|zstd", "tar|zstd|age"];
const isStore = (name) => STORES.includes(name);
const colourOf = (name) => COLOURS[STORES.indexOf(name)];
