/** Disposes of all, the last first, whatever fails. @throws the first failure, when all have had their turn */
export async function disposeAll(handles: readonly AsyncDisposable[]): Promise<void> {
  const failures: unknown[] = [];
  for (const handle of handles.toReversed()) {
    await Promise.resolve(handle[Symbol.asyncDispose]()).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
