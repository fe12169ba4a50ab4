/** Makes an `E_USAGE`. Core is loaded only when it is needed: `--help` starts faster without it. */
export async function usageError(
  message: string,
  hint = "`keepsake help <command>` shows how it is used.",
): Promise<Error> {
  const { KeepsakeError } = await import("@keepsake/core/basics");
  return new KeepsakeError("E_USAGE", message, { hint });
}
