/** For `keepsake plugin test`: the provider's options, with `{dir}` as a new private folder for each case. */
const options = { "my-state": { folder: "{dir}/state", keys: ["cursor", "last_run"] } };
export default options;
