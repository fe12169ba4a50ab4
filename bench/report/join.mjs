/**
 * Reports of one size as one: several commands may have measured different operations. Of what two of them measured the later one
 * counts, and with all who took part: figures of two runs tell nothing beside each other.
 *
 * @returns one for each size, with the `commands` that it is of
 */
export function joinBySize(reports) {
  const bySize = new Map();
  for (const report of reports) {
    const earlier = bySize.get(report.size);
    const own = { ...report, commands: report.commands ?? [report.command] };
    bySize.set(report.size, earlier === undefined ? own : joined(earlier, own));
  }
  return [...bySize.values()];
}

function joined(earlier, later) {
  return {
    ...earlier,
    ...(later.failure !== undefined && { failure: later.failure }),
    commands: [...new Set([...earlier.commands, ...later.commands])],
    versions: { ...earlier.versions, ...later.versions },
    operations: { ...earlier.operations, ...later.operations },
    stored: { ...earlier.stored, ...later.stored },
    samples: { ...earlier.samples, ...later.samples },
  };
}
