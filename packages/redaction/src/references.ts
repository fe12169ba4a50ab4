import { isPlaceholder } from "./randomness.js";

const REFERENCES = [
  // Where a shell, a template or a program puts the value in: ${X}, $X, $(x), {{ x }}, %X%, %(x)s, <x>, #{x}, @x@.
  /^(?:\$[A-Za-z_({]|\$\{|\{\{|\{[a-z_]+\}|%[A-Za-z_]+%|%\(|<[^>]*>|#\{|@[\w.]+@|&[a-z]+;|!(?:Ref|Sub|GetAtt|vault|secret|env)\b)/,
  /\$\{|\{\{|\$\(/,
  /^(?:process\.env|import\.meta|os\.(?:environ|getenv)|System\.getenv|ENV\[|env[.([:]|getenv|Deno\.env|Bun\.env|secrets?[.[:(]|vars?\.|config[.[(]|settings?[.[(]|self\.|this\.|options?\.|args?\.|props\.|ctx\.|req(?:uest)?\.|res\.|params?\.|data\.|user\.|vault:|op:\/\/|ssm:|arn:|gcp-?secret|file:|keyring:|keychain:|sm:\/\/|ref\+)/i,
  // A call, a member, an index: code that computes the value.
  /^[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)*[([]/,
  /^[A-Za-z_$][A-Za-z_$]*(?:\??\.[A-Za-z_$][A-Za-z_$]*)+$/,
  // The name of a constant or an environment variable.
  /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/,
];

/** True for what tells where a value comes from: a variable, a template, a call. */
export function isReference(text: string): boolean {
  return REFERENCES.some((pattern) => pattern.test(text));
}

/** True for the path of a file or an address on the network. */
export function isLocation(text: string): boolean {
  return /^(?:\.{0,2}\/|~\/|[A-Za-z]:[\\/])[\w.~-]|^[a-z][a-z0-9+.-]{1,20}:\/\/|^[\w-]+(?:\/[\w.-]+)+\.[a-z]{1,5}$/i.test(
    text,
  );
}

/** True of what is meant itself: no stand-in for a value, no name of where one is, no place. */
export function isMeantItself(text: string): boolean {
  return !isPlaceholder(text) && !isReference(text) && !isLocation(text);
}
