// A helper that cannot be started.
console.error("the native module is not built");
process.exit(7);
