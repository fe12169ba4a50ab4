/** The exit code of what the user aborted: 128 and the number of SIGINT. */
export const ABORTED_EXIT = 130;
