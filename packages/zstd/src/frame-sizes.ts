/** The least input of a frame that is written, in bytes. */
export const MIN_FRAME_BYTES = 64 * 1024;

/**
 * The largest input of a frame that is written, in bytes. A frame that says it holds no more is decoded whole, by the native
 * library where there is one.
 */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;
