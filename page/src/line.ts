// The WebSocket: connects, notices when it is dead, and comes back by itself.

import { hasSession } from "./api.ts";
import { waitMs } from "./backoff.ts";
import { decode, type Message } from "./wire.ts";

/** The server sends at least once a second; after this long without a word the line is dead, ms. */
const DEAD_MS = 5_000;

/** outdated: the server was updated under an open page. */
export type LineState = "open" | "lost" | "no session" | "outdated";

export interface Listener {
  message(message: Message): void;
  state(state: LineState): void;
}

export class Line {
  readonly #listener: Listener;
  #failures = 0;
  #heardMs = 0;

  constructor(listener: Listener) {
    this.#listener = listener;
    void this.#connect();
  }

  async #connect(): Promise<void> {
    const state = await this.#attempt();
    this.#listener.state(state);
    if (state === "lost") setTimeout(() => void this.#connect(), waitMs(this.#failures++, Math.random()));
  }

  /** Listens while it can; gives why it cannot any more. */
  async #attempt(): Promise<LineState> {
    try {
      if (!(await hasSession())) return "no session";
    } catch {
      return "lost"; // the server does not answer
    }
    return this.#listen();
  }

  #listen(): Promise<LineState> {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
    const listening = new AbortController();
    const { signal } = listening;
    this.#heardMs = performance.now();
    return new Promise((resolve) => {
      const end = (state: LineState) => {
        listening.abort();
        clearInterval(watch);
        socket.close();
        resolve(state);
      };
      const watch = setInterval(() => this.#isDead() && end("lost"), 1_000);
      socket.addEventListener("message", ({ data }) => this.#take(String(data)) || end("outdated"), { signal });
      socket.addEventListener("close", () => end("lost"), { signal });
    });
  }

  #isDead(): boolean {
    return performance.now() - this.#heardMs > DEAD_MS;
  }

  /** Whether the message is one of ours. */
  #take(text: string): boolean {
    this.#heardMs = performance.now();
    const message = decode(text);
    if (message === null) return false;
    if (message.kind === "all") {
      this.#failures = 0;
      this.#listener.state("open");
    }
    this.#listener.message(message);
    return true;
  }
}
