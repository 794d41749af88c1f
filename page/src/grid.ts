// The tiles in their order. Moves a tile only where the order says so, and never out from under a finger.

import { Order } from "./order.ts";
import type { Squad } from "./squad.ts";
import { Tile } from "./tile.ts";
import { view, type View } from "./view.ts";

/** For this long after a touch, a key or a move of the pointer over the tiles nothing moves, ms. */
const HOLD_MS = 4_000;

export class Grid {
  readonly #root: HTMLElement;
  readonly #chosen: (index: number) => void;
  readonly #tiles = new Map<number, Tile>();
  readonly #order = new Order();
  #touchedMs = -HOLD_MS;

  constructor(root: HTMLElement, chosen: (index: number) => void) {
    this.#root = root;
    this.#chosen = chosen;
    for (const kind of ["pointermove", "pointerdown", "keydown"]) {
      root.addEventListener(kind, () => (this.#touchedMs = performance.now()), { passive: true });
    }
  }

  /** Draw everybody as of `nowUs` (the server's clock); gives the views by index. */
  draw(squad: Squad, nowUs: number, chosen: number | null): Map<number, View> {
    const views = new Map<number, View>();
    for (const [index, athlete] of squad.athletes) {
      const seen = view(athlete, nowUs, squad.silentAfterUs);
      views.set(index, seen);
      this.#tile(index).draw(seen, index === chosen);
    }
    for (const [index, tile] of this.#tiles) if (!views.has(index)) this.#drop(index, tile);
    this.#place(views);
    return views;
  }

  focus(index: number): void {
    this.#tiles.get(index)?.button.focus();
  }

  #tile(index: number): Tile {
    const known = this.#tiles.get(index);
    if (known) return known;
    const tile = new Tile(() => this.#chosen(index));
    this.#tiles.set(index, tile);
    return tile;
  }

  #drop(index: number, tile: Tile): void {
    tile.root.remove();
    this.#tiles.delete(index);
  }

  #place(views: ReadonlyMap<number, View>): void {
    const nowMs = performance.now();
    const held = nowMs - this.#touchedMs < HOLD_MS;
    const standings = [...views].map(([index, { name, need }]) => ({ index, name, need }));
    const order = this.#order.arrange(standings, nowMs, held);
    const roots = order.flatMap((index) => this.#tiles.get(index)?.root ?? []);
    if (roots.every((root, k) => this.#root.children[k] === root)) return;
    const focused = document.activeElement;
    this.#root.replaceChildren(...roots);
    if (focused instanceof HTMLElement && this.#root.contains(focused)) focused.focus({ preventScroll: true });
  }
}
