/**
 * Works on several items at a time and gives the results in the items' order. What is under way when the consumer stops
 * is awaited, so that nothing goes on behind its back.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  lanes: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      result.catch(() => undefined);
      pending.push(result);
      if (pending.length >= lanes) yield* first(pending);
    }
    while (pending.length > 0) yield* first(pending);
  } finally {
    await Promise.allSettled(pending);
  }
}

async function* first<R>(pending: Promise<R>[]): AsyncGenerator<R> {
  const [result] = pending.splice(0, 1);
  if (result !== undefined) yield await result;
}
