/** A secret that was found, and where; what it is only as far as its kind shows. */
export interface FoundSecret {
  /** path in the bundle */
  readonly artifact: string;
  readonly rule: string;
  /** of a text, from 1 */
  readonly line?: number;
  /** `table.column` of a database */
  readonly column?: string;
  readonly row?: string;
  /** of a repository: the newest commit that holds it */
  readonly commit?: string;
  /** a branch that leads to it, or a tag: the full name */
  readonly ref?: string;
  readonly masked: string;
  /** how often it stands there; absent: once */
  readonly times?: number;
}
