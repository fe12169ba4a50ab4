/** A keyword that was met: whose it is, and where it begins. */
export type OnKeyword = (owner: number, start: number) => void;

interface Met {
  readonly owner: number;
  readonly length: number;
}

interface Node {
  readonly next: Map<number, Node>;
  readonly met: Met[];
  fail: Node | undefined;
  /** number of the state, times the number of classes */
  row: number;
}

/**
 * Finds many keywords in one pass, whatever the case of their letters (Aho and Corasick, 1975). The transitions stand in one
 * table, states with a keyword behind all others, so that a character costs two look-ups and a comparison.
 */
export class KeywordAutomaton {
  // One for every code unit: a look-up costs less than asking first whether it is ASCII.
  readonly #classes = new Uint8Array(65_536);
  readonly #table: Int32Array;
  readonly #met: readonly (readonly Met[])[];
  readonly #classCount: number;
  readonly #firstMet: number;

  /** @param keywords in lower case, by owner: the index in the list */
  constructor(keywords: readonly (readonly string[])[]) {
    const root = newNode();
    let classCount = 1;
    for (const [owner, words] of keywords.entries()) {
      for (const word of words) {
        if (word === "" || word !== word.toLowerCase())
          throw new TypeError(`The keyword "${word}" is not in lower case.`);
        let node = root;
        for (const character of word) {
          const code = character.charCodeAt(0);
          if (this.#classes[code] === 0) {
            this.#classes[code] = classCount;
            this.#classes[character.toUpperCase().charCodeAt(0)] = classCount++;
          }
          const kind = this.#classes[code] ?? 0;
          const next = node.next.get(kind) ?? newNode();
          node.next.set(kind, next);
          node = next;
        }
        node.met.push({ owner, length: word.length });
      }
    }
    if (classCount > 256) throw new TypeError("The keywords have too many different characters.");
    const nodes = linked(root);
    const ordered = [...nodes.filter((node) => node.met.length === 0), ...nodes.filter((node) => node.met.length > 0)];
    for (const [index, node] of ordered.entries()) node.row = index * classCount;
    this.#classCount = classCount;
    this.#firstMet = ordered.findIndex((node) => node.met.length > 0) * classCount;
    this.#met = ordered.map((node) => node.met);
    this.#table = new Int32Array(ordered.length * classCount);
    for (const node of nodes) {
      // Breadth first: the row of the state it falls back to is filled in already.
      const fallback = node.fail?.row ?? 0;
      for (let kind = 1; kind < classCount; kind++) {
        const next = node.next.get(kind);
        this.#table[node.row + kind] = next?.row ?? (node === root ? 0 : (this.#table[fallback + kind] ?? 0));
      }
    }
  }

  /** Tells of every keyword of the text, also of those within others, by where they end. */
  scan(text: string, onKeyword: OnKeyword): void {
    if (this.#firstMet < 0) return;
    const table = this.#table;
    const classes = this.#classes;
    const firstMet = this.#firstMet;
    let state = 0;
    for (let index = 0; index < text.length; index++) {
      state = table[state + (classes[text.charCodeAt(index)] ?? 0)] ?? 0;
      if (state < firstMet) continue;
      for (const { owner, length } of this.#met[state / this.#classCount] ?? []) onKeyword(owner, index + 1 - length);
    }
  }
}

function newNode(): Node {
  return { next: new Map(), met: [], fail: undefined, row: 0 };
}

/** All states, breadth first, each knowing the state for the longest end of it that begins a keyword, and what that one met. */
function linked(root: Node): Node[] {
  const nodes = [root];
  for (const node of nodes) {
    for (const [kind, next] of node.next) {
      let fail = node.fail;
      while (fail !== undefined && !fail.next.has(kind)) fail = fail.fail;
      next.fail = fail?.next.get(kind) ?? root;
      next.met.push(...next.fail.met);
      nodes.push(next);
    }
  }
  return nodes;
}
