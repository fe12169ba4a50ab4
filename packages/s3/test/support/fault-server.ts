import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of one request. */
export type Fault =
  | "pass"
  /** the connection is reset: at once, in the middle of the request's body, or when the server has done its work */
  | { readonly reset: "before" | "after" | { readonly afterBytesUp: number } | { readonly afterBytesDown: number } }
  /** no word is said any more */
  | { readonly stall: "before" | "after" | { readonly afterBytesDown: number } }
  /** the server is busy */
  | { readonly status: number; readonly code: string }
  /** the answer's headers are changed */
  | { readonly headers: Readonly<Record<string, string>> }
  /** one bit of the request's body is another when it arrives */
  | { readonly flip: true }
  /** this is answered instead, with status 200 */
  | { readonly instead: (request: Seen, body: Buffer) => Promise<Answer> };

/** An answer of a test's own. */
export interface Answer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request as it came. */
export interface Seen {
  readonly method: string;
  /** with the query */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

/** Stands before a real S3 server, and lets happen to requests what can happen on the way. */
export class FaultServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly #server: Server;
  readonly #upstream: URL;
  /** decides for each request; may be changed at any time */
  fault: (request: Seen) => Fault = () => "pass";

  private constructor(upstream: URL) {
    this.#upstream = upstream;
    this.#server = createServer((incoming, answer) => void this.#serve(incoming, answer));
  }

  static async before(upstream: string): Promise<FaultServer> {
    const made = new FaultServer(new URL(upstream));
    made.#server.listen(0, "127.0.0.1");
    await once(made.#server, "listening");
    return made;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** The fault happens to the first request that fits, and to no other. */
  once(fits: (request: Seen) => boolean, fault: Fault): void {
    let hasHappened = false;
    this.fault = (request) => {
      if (hasHappened || !fits(request)) return "pass";
      hasHappened = true;
      return fault;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = incoming;
    const seen = { method, url, headers };
    this.seen.push(seen);
    incoming.on("error", () => undefined);
    const fault = this.fault(seen);
    if (fault === "pass") this.#forward(incoming, answer, {});
    else if ("status" in fault) refuse(incoming, answer, fault.status, fault.code);
    else if ("headers" in fault) this.#forward(incoming, answer, { headers: fault.headers });
    else if ("reset" in fault) this.#reset(incoming, answer, fault.reset);
    else if ("stall" in fault) this.#stall(incoming, answer, fault.stall);
    else if ("flip" in fault) this.#forward(incoming, answer, { flip: true });
    else {
      const { headers: own, body = "" } = await fault.instead(seen, await bodyOf(incoming));
      answer.writeHead(200, own).end(body);
    }
  }

  #reset(incoming: IncomingMessage, answer: ServerResponse, when: Extract<Fault, { reset: unknown }>["reset"]): void {
    const cut = () => void incoming.socket.resetAndDestroy();
    if (when === "before") cut();
    else if (when === "after") this.#forward(incoming, answer, { whenAnswered: cut });
    else if ("afterBytesDown" in when) this.#forward(incoming, answer, { afterBytes: when.afterBytesDown, then: cut });
    else afterBytesOf(incoming, when.afterBytesUp, cut);
  }

  #stall(incoming: IncomingMessage, answer: ServerResponse, when: Extract<Fault, { stall: unknown }>["stall"]): void {
    const wait = () => undefined;
    if (when === "before") incoming.resume();
    else if (when === "after") this.#forward(incoming, answer, { whenAnswered: wait });
    else this.#forward(incoming, answer, { afterBytes: when.afterBytesDown, then: wait });
  }

  #forward(
    incoming: IncomingMessage,
    answer: ServerResponse,
    how: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly whenAnswered?: () => void;
      readonly afterBytes?: number;
      readonly then?: () => void;
      readonly flip?: true;
    },
  ): void {
    const { method, url, headers } = incoming;
    const { hostname, port } = this.#upstream;
    const onward = request({ hostname, port, method, path: url, headers }, (response) => {
      if (how.whenAnswered !== undefined) {
        response.resume().on("end", how.whenAnswered);
        return;
      }
      answer.writeHead(response.statusCode ?? 500, { ...response.headers, ...how.headers });
      if (how.afterBytes === undefined) {
        response.pipe(answer);
        return;
      }
      let left = how.afterBytes;
      const { then = () => undefined } = how;
      response.on("data", (chunk: Buffer) => {
        if (left > 0) answer.write(chunk.subarray(0, left), left <= chunk.length ? then : undefined);
        left -= chunk.length;
      });
    });
    onward.on("error", () => incoming.socket.destroy());
    incoming.on("close", () => {
      if (!incoming.complete) onward.destroy();
    });
    if (how.flip === undefined) incoming.pipe(onward);
    else void bodyOf(incoming).then((body) => onward.end(flipped(body)));
  }
}

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 4;
  return copy;
}

function refuse(incoming: IncomingMessage, answer: ServerResponse, status: number, code: string): void {
  incoming.resume().on("end", () => {
    answer.writeHead(status, { "content-type": "application/xml" });
    answer.end(
      incoming.method === "HEAD"
        ? ""
        : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>hunter2</Message><StringToSign>hunter2</StringToSign></Error>`,
    );
  });
}

function afterBytesOf(incoming: IncomingMessage, bytes: number, cut: () => void): void {
  let seen = 0;
  incoming.on("data", (chunk: Buffer) => {
    seen += chunk.length;
    if (seen >= bytes) cut();
  });
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
