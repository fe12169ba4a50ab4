/**
 * The one currency between ports: chunks of bytes, pulled.
 *
 * A Node `Readable`, a Web `ReadableStream`, a tar entry and an S3 body all are one. A chunk that was yielded belongs to
 * the consumer and is not reused. Resources open on the first `next()` and close when the iteration ends, also early.
 */
export type ByteStream = AsyncIterable<Uint8Array>;
