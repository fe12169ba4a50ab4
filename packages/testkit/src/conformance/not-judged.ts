/** Thrown by a case that this system gives no means to judge; that is told, and is neither a pass nor a failure. */
export class NotJudged extends Error {
  override readonly name = "NotJudged";
}
