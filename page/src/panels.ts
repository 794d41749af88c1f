// What is drawn of an athlete, one panel a quantity. Data only; `chart` draws.

import { fixed } from "./words.ts";

export interface Panel {
  readonly title: string;
  readonly unit: string;
  /** The line, then the ends of its interval where it has one; names of columns. */
  readonly names: readonly [string] | readonly [string, string, string];
  /** Stored value to shown value. */
  readonly factor: number;
  readonly digits: number;
  /** Bottom and top of the axis for data from `low` to `high` (shown values). */
  range(low: number, high: number): readonly [number, number];
  /** The variable of the style sheet with the line's colour. */
  readonly colour: string;
}

export const PANELS: readonly Panel[] = [
  {
    title: "Performance",
    unit: "of 100",
    names: ["performance_score", "performance_low", "performance_high"],
    factor: 1,
    digits: 0,
    range: () => [0, 100],
    colour: "--performance",
  },
  {
    title: "Heart rate",
    unit: "bpm",
    names: ["live_heart_rate"],
    factor: 1,
    digits: 0,
    range: (low, high) => [Math.floor(low / 10) * 10 - 5, Math.max(Math.ceil(high / 10) * 10 + 5, low + 40)],
    colour: "--heart",
  },
  {
    title: "Speed",
    unit: "m/s",
    names: ["live_speed"],
    factor: 1,
    digits: 1,
    range: (_, high) => [0, Math.max(8, Math.ceil(high + 0.5))],
    colour: "--speed",
  },
  {
    title: "Injury risk within 7 days",
    unit: "%",
    names: ["injury_risk", "injury_low", "injury_high"],
    factor: 100,
    digits: 1,
    range: (_, high) => [0, Math.max(5, Math.ceil(high * 1.2))],
    colour: "--risk",
  },
];

/** Every column the panels need. */
export const NAMES: readonly string[] = PANELS.flatMap((panel) => [...panel.names]);

/** A value with its interval and unit, as above a panel. */
export function reading(panel: Panel, values: readonly (number | null | undefined)[]): string {
  const [at, low, high] = values.map((value) => fixed(value, panel.digits));
  const known = values[0] !== null && values[0] !== undefined;
  const interval = known && panel.names.length === 3 && values[1] != null ? ` (${low}–${high})` : "";
  return `${at}${interval} ${panel.unit}`;
}
