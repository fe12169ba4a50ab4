/** Bars of the times by operation, each operation on a scale of its own: what is compared is who, not what. */
import { seconds } from "./units.mjs";

const SHOWN = ["first", "next", "unchanged", "verify", "restore-empty", "restore-over", "one-file", "list", "prune"];
const COLOURS = ["#1f6feb", "#79b8ff", "#d1495b", "#8d6a9f", "#b39cc0", "#5f7f6f", "#9fb8a8"];
const HEADLINE = 'font-size="15" font-weight="600"';
const [BAR, GAP, LEFT, WIDTH, TOP] = [15, 14, 190, 900, 56];

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const text = (x, y, content, more = "") => `<text x="${x}" y="${y}" ${more}>${escaped(content)}</text>`;

/** The sizes that goals are set for; else the last one. */
export function charted(reports) {
  const goals = reports.filter(({ size }) => size === "medium" || size === "large");
  return goals.length > 0 ? goals : reports.slice(-1);
}

/** @param reports of one size each @returns an SVG image of all of them, one below the other */
export function chartOf(reports, titles) {
  const [{ date, machine }] = reports;
  const title = text(10, 22, "Keepsake beside its peers: shorter is better", HEADLINE);
  const where = text(10, 42, `${date}, ${machine}; medians, each operation on a scale of its own`);
  const parts = [title, where];
  let y = TOP;
  for (const { size, operations } of reports) {
    y += BAR;
    parts.push(text(10, y, `${size} memory`, HEADLINE));
    y += GAP;
    for (const operation of SHOWN.filter((id) => operations[id] !== undefined)) {
      const bars = barsOf(operations[operation], y + BAR);
      parts.push(text(10, y + BAR, titles.get(operation) ?? operation, 'font-weight="600"'), ...bars.parts);
      y = bars.end + GAP;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + GAP}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

function barsOf(byName, top) {
  const bars = Object.entries(byName).filter(([name]) => isStore(name));
  const longest = Math.max(...bars.map(([, { wallMs }]) => wallMs));
  const parts = bars.flatMap(([name, { wallMs }], index) => {
    const length = Math.max(2, ((WIDTH - LEFT - 80) * wallMs) / longest);
    const y = top + (index + 1) * (BAR + 3);
    return [
      text(LEFT - 8, y, name, 'text-anchor="end"'),
      `<rect x="${LEFT}" y="${y - BAR + 4}" width="${length.toFixed(1)}" height="${BAR - 2}" fill="${colourOf(name)}"/>`,
      text(LEFT + length + 6, y, `${seconds(wallMs)} s`),
    ];
  });
  return { parts, end: top + bars.length * (BAR + 3) };
}

const STORES = ["keepsake", "keepsake encrypted", "restic", "borg lz4", "borg zstd,3", "tar|zstd", "tar|zstd|age"];
const isStore = (name) => STORES.includes(name);
const colourOf = (name) => COLOURS[STORES.indexOf(name)];
