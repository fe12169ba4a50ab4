/** For `keepsake plugin test`: the store's options, with `{dir}` as a new private folder for each case. */
const options = { "my-store": { root: "{dir}/store" } };
export default options;

/** Where all that the store keeps shows: what a failed `put` leaves is seen there. */
export const conformance = { "my-store": { place: "{dir}/store" } };
