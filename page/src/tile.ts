// One athlete's tile. Draws a view; decides nothing.

import { icon, make, redraw, setAttribute, setText } from "./dom.ts";
import type { Badge, Bar, Measure, View } from "./view.ts";

/** A sign of its own for every state, so that colour is never the only one. */
const SIGNS: Readonly<Record<Badge["state"], string>> = {
  firing: "M8 1.5 15.2 14.5H.8ZM7.2 6v4h1.6V6ZM7.2 11.2v1.6h1.6v-1.6Z",
  pending: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6ZM7.2 4.5v4.1l3.2 1.9.8-1.3-2.4-1.4V4.5Z",
  stale: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6ZM4.5 7.2h7v1.6h-7Z",
  silent: "M2.1 1 1 2.1l3 3A8 8 0 0 0 1 8l1.2 1.1a6.4 6.4 0 0 1 3-2.8l1.3 1.3a4.7 4.7 0 0 0-2.1 1.6l1.2 1.1A3 3 0 0 1 8 9l5.9 5.9L15 13.8ZM8 11.2 6.6 12.6 8 14l1.4-1.4ZM8 3.4l1.9 1.8a6.4 6.4 0 0 1 3.9 3.9L15 8a8 8 0 0 0-7-4.6Z",
  over: "M3 3h10v10H3Z",
  behind: "M8 8 15 3v10ZM1 8l7-5v10Z",
  ok: "M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z",
};

interface Part {
  readonly root: HTMLElement;
  draw(measure: Measure, label?: string): void;
}

export class Tile {
  readonly root = make("li");
  readonly button = make("button", { type: "button", class: "tile" });
  readonly #name = make("span", { class: "name" });
  readonly #performance = barred("big");
  readonly #risk = barred("mid");
  readonly #heart = figure();
  readonly #speed = figure();
  readonly #load = figure();
  readonly #away = make("span", { class: "away-word" });
  readonly #last = make("span", { class: "last" });
  readonly #totals = make("span", { class: "last" });
  readonly #sign = icon(SIGNS.ok);
  readonly #badge = make("span", { class: "badge-text" });
  readonly #run = make("span", { class: "run" });

  constructor(chosen: () => void) {
    const heads = make("span", { class: "heads" }, this.#performance.root, this.#risk.root);
    const now = make("span", { class: "now" }, this.#heart.root, this.#speed.root, this.#load.root);
    const away = make("span", { class: "away" }, this.#away, this.#last, this.#totals);
    const badge = make("span", { class: "badge" }, this.#sign, this.#badge, this.#run);
    this.button.append(this.#name, heads, now, away, badge);
    this.button.addEventListener("click", chosen);
    this.root.append(this.button);
  }

  draw(view: View, isChosen: boolean): void {
    setText(this.#name, view.name);
    setAttribute(this.button, "data-condition", view.condition);
    setAttribute(this.button, "data-state", view.badge.state);
    setAttribute(this.button, "aria-label", view.spoken);
    setAttribute(this.button, "aria-pressed", String(isChosen));
    redraw(this.#sign, SIGNS[view.badge.state]);
    setText(this.#badge, view.badge.text);
    setText(this.#run, view.distance);
    this.#performance.draw(view.performance, "Performance");
    this.#risk.draw(view.risk, view.riskLabel);
    this.#heart.draw(view.heart);
    this.#speed.draw(view.speed);
    this.#load.draw(view.load);
    setText(this.#away, view.condition === "over" ? "Session over" : "No data");
    setText(this.#last, view.last);
    setText(this.#totals, `Until then ${view.load.text} AU load, ${view.distance}`);
  }
}

/** A number over its unit. */
function figure(): Part {
  const number = make("span", { class: "number" });
  const unit = make("span", { class: "unit" });
  return {
    root: make("span", { class: "figure" }, number, unit),
    draw(measure) {
      setText(number, measure.text);
      setText(unit, measure.unit);
    },
  };
}

/** A number with its interval as a bar and in words; where there is no number, why. */
function barred(size: string): Part {
  const label = make("span", { class: "label" });
  const number = make("span", { class: "number" });
  const why = make("span", { class: "why" });
  const line = make("span", { class: "line-of-number" }, number, why);
  const band = make("span", { class: "band" });
  const mark = make("span", { class: "mark" });
  const bar = make("span", { class: "bar" }, band, mark);
  const interval = make("span", { class: "interval" });
  return {
    root: make("span", { class: `head ${size}` }, label, line, bar, interval),
    draw(measure, name = "") {
      const known = measure.bar !== null;
      setText(number, known ? `${measure.text}${measure.unit}` : measure.text);
      setText(label, name);
      setText(why, known ? "" : measure.aside);
      setText(interval, known ? measure.aside : "");
      setAttribute(bar, "data-empty", String(!known));
      if (measure.bar) place(band, mark, measure.bar);
    },
  };
}

function place(band: HTMLElement, mark: HTMLElement, { low, at, high }: Bar): void {
  const style = { left: `${(low * 100).toFixed(1)}%`, right: `${((1 - high) * 100).toFixed(1)}%` };
  if (band.style.left !== style.left || band.style.right !== style.right) Object.assign(band.style, style);
  const left = `${(at * 100).toFixed(1)}%`;
  if (mark.style.left !== left) mark.style.left = left;
}
