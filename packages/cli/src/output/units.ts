const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** "512 B", "1.5 KiB", "300 MiB". */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would be rounded to "1024.0 KiB".
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ""}`;
}

const STEPS: readonly (readonly [seconds: number, name: string])[] = [
  [365 * 86_400, "y"],
  [30 * 86_400, "mo"],
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** "just now", "42 s ago", "3 d ago"; "in the future" where clocks disagree. */
export function ageText(thenMs: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - thenMs) / 1000);
  if (seconds < -5) return "in the future";
  const step = STEPS.find(([length]) => seconds >= length);
  if (step === undefined) return "just now";
  return `${String(Math.floor(seconds / step[0]))} ${step[1]} ago`;
}

/** A moment in UTC to the second: "2026-03-01 09:26:33Z". */
export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "?" : `${date.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** A duration in seconds as "0:07", "12:30", "1:02:03". */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${String(hours)}:${String(minutes).padStart(2, "0")}:${rest}` : `${String(minutes)}:${rest}`;
}

/** How long something takes: "850 ms", "1.2 s", "12 s", "12:30". */
export function durationText(ms: number): string {
  if (ms < 1000) return `${String(Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.5) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`;
  return clockText(seconds);
}

/** "1 file", "2 files". */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}
