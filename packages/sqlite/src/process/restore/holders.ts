export function refuseHolders(_f: readonly string[]): void { return; }
