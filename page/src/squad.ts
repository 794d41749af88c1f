// Everybody as the server last told it. Pure: takes messages, knows no socket, no document and no clock.

import type { About, FeedStatus, Message, Value, WireRow } from "./wire.ts";

export interface Athlete {
  about: About;
  /** Column name to the newest value. */
  values: ReadonlyMap<string, Value>;
  /** End of the newest window (event time), its publishing, and the last sign of the sensor (wall clock), µs. */
  endUs: number;
  publishedUs: number;
  heardUs: number;
}

export class Squad {
  readonly athletes = new Map<number, Athlete>();
  feed: FeedStatus = { state: "connecting", detail: "" };
  columns: readonly string[] = [];
  nowUs = 0;
  silentAfterUs = 10_000_000;

  /** Take a message; gives the indices of whom it told something of. */
  take(message: Message): Set<number> {
    this.nowUs = message.now_us;
    if (message.kind === "all") {
      this.athletes.clear();
      this.columns = message.columns;
      this.silentAfterUs = message.silent_after_us;
    }
    if (message.feed) this.feed = message.feed;
    for (const index of message.kind === "some" ? (message.gone ?? []) : []) this.athletes.delete(index);
    const told = new Set<number>();
    for (const about of message.about ?? []) told.add(this.#takeAbout(about));
    for (const row of message.rows ?? []) told.add(this.#takeRow(row));
    return told;
  }

  byId(id: string): Athlete | undefined {
    for (const athlete of this.athletes.values()) if (athlete.about.id === id) return athlete;
    return undefined;
  }

  #takeAbout(about: About): number {
    const known = this.athletes.get(about.i);
    if (known) known.about = about;
    else this.athletes.set(about.i, { about, values: new Map(), endUs: 0, publishedUs: 0, heardUs: 0 });
    return about.i;
  }

  #takeRow([index, endUs, publishedUs, heardUs, ...values]: WireRow): number {
    const athlete = this.athletes.get(index);
    if (athlete) {
      const named = new Map(this.columns.map((name, k) => [name, values[k] ?? null]));
      Object.assign(athlete, { endUs, publishedUs, heardUs, values: named });
    }
    return index;
  }
}
