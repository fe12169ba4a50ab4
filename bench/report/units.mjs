const MIB = 1024 * 1024;

export const seconds = (ms) => (ms / 1_000).toFixed(ms < 10_000 ? 2 : 1);
export const mebibytes = (bytes) => (bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0);
export const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
export const ratio = (number) => number.toFixed(number < 0.1 ? 3 : 2);
