/** For `keepsake plugin test`: the codec's options. */
const options = { "my-codec": {} };
export default options;

/** What only you know of it. */
export const conformance = { "my-codec": { deterministic: true } };
