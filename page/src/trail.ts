// One athlete's past as columns for the chart: loaded from the server, then grown by live rows. Pure.

import type { Value } from "./wire.ts";

/** As `/api/athletes/…/recent` and `/history` answer. */
export interface Series {
  readonly athlete: string;
  readonly every_s: number;
  readonly times_us: readonly number[];
  readonly fields: Readonly<Record<string, readonly Value[]>>;
}

/** Times (s) and one column per name asked, with a hole wherever a second is missing. */
export interface Columns {
  readonly times: number[];
  readonly columns: Value[][];
}

export class Trail {
  readonly #names: readonly string[];
  readonly #spanS: number;
  readonly #everyS: number;
  #times: number[] = [];
  #columns: Value[][];

  constructor(names: readonly string[], spanS: number, series: Series) {
    this.#names = names;
    this.#spanS = spanS;
    this.#everyS = series.every_s;
    this.#times = series.times_us.map((us) => us / 1e6);
    this.#columns = names.map((name) => [...(series.fields[name] ?? this.#times.map(() => null))]);
  }

  get endS(): number {
    return this.#times.at(-1) ?? 0;
  }

  /** Whether a second that ends then would leave a hole that the server could fill. */
  misses(endUs: number): boolean {
    return this.#times.length > 0 && endUs / 1e6 - this.endS > 1.5 * this.#everyS + 1;
  }

  /** Take a live second; one that is not newer is known already. */
  append(endUs: number, values: ReadonlyMap<string, Value>): void {
    const at = endUs / 1e6;
    if (at <= this.endS) return;
    this.#times.push(at);
    this.#names.forEach((name, k) => this.#columns[k]?.push(values.get(name) ?? null));
    this.#trim();
  }

  #trim(): void {
    const first = this.#times.findIndex((time) => time > this.endS - this.#spanS);
    if (first <= 0) return;
    this.#times.splice(0, first);
    for (const column of this.#columns) column.splice(0, first);
  }

  /** For the chart: a null row stands in each hole, so that no line is drawn across it. */
  columns(): Columns {
    const times: number[] = [];
    const columns: Value[][] = this.#names.map(() => []);
    this.#times.forEach((time, row) => {
      const before = this.#times[row - 1];
      if (before !== undefined && time - before > 1.5 * this.#everyS + 0.5) {
        times.push(before + this.#everyS);
        for (const column of columns) column.push(null);
      }
      times.push(time);
      columns.forEach((column, k) => column.push(this.#columns[k]?.[row] ?? null));
    });
    return { times, columns };
  }
}

/** Smallest, largest and last value that are there. */
export function spread(column: readonly Value[]): { low: number; high: number; last: number } | null {
  const there = column.filter((value): value is number => value !== null);
  const last = there.at(-1);
  return last === undefined ? null : { low: Math.min(...there), high: Math.max(...there), last };
}
