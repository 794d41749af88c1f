// One panel drawn by uPlot: a line, its interval as a band, holes where nothing was measured.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { marks, markText } from "./axis.ts";
import { make, setAttribute, setText } from "./dom.ts";
import { type Panel, reading } from "./panels.ts";
import { spread } from "./trail.ts";
import type { Value } from "./wire.ts";

const HEIGHT = 92;
const HEIGHT_WITH_TIME = 112;
const AXIS_WIDTH = 40;
const SYNC = "details";

export interface Span {
  readonly startS: number;
  readonly endS: number;
  /** The word at the end of the time axis. */
  readonly endWord: string;
}

export class Chart {
  readonly root = make("section", { class: "chart" });
  readonly #panel: Panel;
  readonly #reading = make("output", { class: "reading" });
  readonly #plot = make("div", { class: "plot", role: "img" });
  readonly #withTime: boolean;
  readonly #resized: ResizeObserver;
  #uplot: uPlot | null = null;
  #columns: Value[][] = [];
  #times: readonly number[] = [];
  #span: Span = { startS: 0, endS: 1, endWord: "now" };

  constructor(panel: Panel, withTime: boolean) {
    this.#panel = panel;
    this.#withTime = withTime;
    const title = make("h3", {}, panel.title);
    this.root.append(make("header", {}, title, this.#reading), this.#plot);
    this.#resized = new ResizeObserver(() => this.#uplot?.setSize(this.#size()));
    this.#resized.observe(this.#plot);
  }

  draw(times: readonly number[], columns: readonly Value[][], span: Span): void {
    const scaled = columns.map((column) => column.map((v) => (v === null ? null : v * this.#panel.factor)));
    [this.#times, this.#columns, this.#span] = [times, scaled, span];
    this.#uplot ??= new uPlot(this.#options(), [[]], this.#plot);
    this.#uplot.setData([[...times], ...scaled] as uPlot.AlignedData);
    this.#say(this.#uplot.cursor.idx ?? null);
  }

  /** The colours changed: draw anew with the next data. */
  restyle(): void {
    this.#uplot?.destroy();
    this.#uplot = null;
    this.draw(this.#times, this.#columns.map((c) => c.map((v) => v === null ? null : v / this.#panel.factor)), this.#span);
  }

  destroy(): void {
    this.#resized.disconnect();
    this.#uplot?.destroy();
    this.root.remove();
  }

  #size(): { width: number; height: number } {
    return { width: this.#plot.clientWidth || 320, height: this.#withTime ? HEIGHT_WITH_TIME : HEIGHT };
  }

  /** The value under the pointer, else the newest. */
  #say(row: number | null): void {
    const last = this.#times.length - 1;
    const at = row ?? last;
    const values = this.#columns.map((column) => column[at]);
    const when = row === null || row === last ? "" : `${markText(this.#times[at] ?? 0, this.#span.endS, "")} · `;
    setText(this.#reading, when + reading(this.#panel, values));
    setAttribute(this.#plot, "aria-label", this.#spoken());
  }

  #spoken(): string {
    const { title, unit, digits } = this.#panel;
    const found = spread(this.#columns[0] ?? []);
    if (!found) return `${title}: nothing in this time`;
    const [low, high, last] = [found.low, found.high, found.last].map((value) => value.toFixed(digits));
    return `${title}: from ${low} to ${high}, last ${last} ${unit}`;
  }

  #yRange(): uPlot.Range.MinMax {
    const there = this.#columns.flat().filter((value): value is number => value !== null);
    const low = there.reduce((a, b) => Math.min(a, b), Infinity);
    const high = there.reduce((a, b) => Math.max(a, b), -Infinity);
    return [...this.#panel.range(there.length ? low : 0, there.length ? high : 0)];
  }

  #options(): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const line = colour(this.#panel.colour);
    const bounds = this.#panel.names.length === 3;
    const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
    const options: uPlot.Options = {
      ...this.#size(),
      legend: { show: false },
      padding: [8, 18, this.#withTime ? 0 : 4, 0],
      cursor: { sync: { key: SYNC }, y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: false, range: () => [this.#span.startS, this.#span.endS] }, y: { range: () => this.#yRange() } },
      series: [{}, { stroke: line, width: 2, points: { show: false } }, ...(bounds ? [edge, edge] : [])],
      axes: [this.#timeAxis(colour), valueAxis(colour)],
      hooks: { setCursor: [(plot) => this.#say(plot.cursor.idx ?? null)] },
    };
    if (bounds) options.bands = [{ series: [3, 2], fill: colour(`${this.#panel.colour}-band`) }];
    return options;
  }

  #timeAxis(colour: (name: string) => string): uPlot.Axis {
    return {
      show: this.#withTime,
      font: "12px system-ui, sans-serif",
      stroke: colour("--muted"),
      grid: { stroke: colour("--rule"), width: 1 },
      ticks: { show: false },
      size: 24,
      splits: (_, __, min, max) => marks(min, max, 5),
      values: (_, splits) => splits.map((at) => markText(at, this.#span.endS, this.#span.endWord)),
    };
  }
}

function valueAxis(colour: (name: string) => string): uPlot.Axis {
  return {
    font: "12px system-ui, sans-serif",
    stroke: colour("--muted"),
    grid: { stroke: colour("--rule"), width: 1 },
    ticks: { show: false },
    size: AXIS_WIDTH,
    space: 26,
  };
}
