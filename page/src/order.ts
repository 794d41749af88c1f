// The order of the tiles: who needs attention first, and nobody jumps about. Pure; time is a parameter.
//
// Within one need the order is by name and never changes. A tile goes up at once, and goes down only when it has needed
// less for half a minute. While somebody is about to touch a tile (`held`) nothing moves.

import type { Need } from "./view.ts";

export const SETTLE_MS = 30_000;

export interface Standing {
  readonly index: number;
  readonly name: string;
  readonly need: Need;
}

interface Place {
  need: Need;
  /** Since when it has needed less than its place says, ms; null while it does not. */
  lessSince: number | null;
}

export class Order {
  readonly #places = new Map<number, Place>();
  #order: number[] = [];
  readonly #collator = new Intl.Collator("en", { numeric: true });

  /** Indices, first to last. */
  arrange(standings: readonly Standing[], nowMs: number, held: boolean): readonly number[] {
    const here = new Set(standings.map((standing) => standing.index));
    for (const index of this.#places.keys()) if (!here.has(index)) this.#places.delete(index);
    const newcomers = standings.some((standing) => !this.#places.has(standing.index));
    for (const standing of standings) this.#place(standing, nowMs, held);
    if (held && !newcomers) this.#order = this.#order.filter((index) => here.has(index));
    else this.#order = this.#sorted(standings);
    return this.#order;
  }

  #place({ index, need }: Standing, nowMs: number, held: boolean): void {
    const place = this.#places.get(index);
    if (!place) this.#places.set(index, { need, lessSince: null });
    else if (held) return;
    else if (need <= place.need) Object.assign(place, { need, lessSince: null });
    else if (place.lessSince === null) place.lessSince = nowMs;
    else if (nowMs - place.lessSince >= SETTLE_MS) Object.assign(place, { need, lessSince: null });
  }

  #sorted(standings: readonly Standing[]): number[] {
    const needOf = (standing: Standing) => this.#places.get(standing.index)?.need ?? standing.need;
    return [...standings]
      .sort((a, b) => needOf(a) - needOf(b) || this.#collator.compare(a.name, b.name) || a.index - b.index)
      .map((standing) => standing.index);
  }
}
