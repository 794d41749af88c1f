// Numbers and states in words with units. Pure.

import type { Pushed, Today } from "./wire";

export const NONE = "–";

export function fixed(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? NONE : value.toFixed(digits);
}

/** A share 0…1 in per cent: one digit below ten, none above. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return NONE;
  const value = share * 100;
  return value.toFixed(value < 9.95 ? 1 : 0);
}

export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 100) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

export function distance(metres: number | null | undefined): string {
  if (metres === null || metres === undefined) return NONE;
  return metres < 1000 ? `${metres.toFixed(0)} m` : `${(metres / 1000).toFixed(2)} km`;
}

const RULES: Readonly<Record<string, string>> = {
  heat: "Heat",
  heart_rate_high: "Heart rate high",
  impact: "Impact",
  injury_risk: "Injury risk",
  load_spike: "Load spike",
  performance_drop: "Performance drop",
  sensor_silent: "No data",
};

/** A rule by the name people use; one that is not known here keeps its own. */
export function ruleName(rule: string): string {
  const spaced = rule.replaceAll("_", " ");
  return RULES[rule] ?? spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** The load so far against the day's: "412 of 600 AU, by heart rate". */
export function todayLoad(today: Today | null): string {
  if (today === null) return NONE;
  return `${today.load.toFixed(0)} of ${today.load_planned.toFixed(0)} AU, ${today.load_source === "reported" ? "reported" : "by heart rate"}`;
}

/** The risk with today's load, where that was shown to help. */
export function todayRisk({ risk, low, high }: Today): string {
  return `Injury risk with today's load so far: ${percent(risk)} % (${percent(low)} to ${percent(high)}).`;
}

/** What pushed a probability, with the push in points of per cent: "load 912 AU (+1.2)". */
export function pushedBy(inputs: readonly Pushed[]): string {
  return inputs.map(pushedWords).join(", ");
}

function pushedWords({ name, value, unit, push }: Pushed): string {
  const amount = value === null ? NONE : String(Number(value.toPrecision(3)));
  const points = push === null ? "" : ` (${push < 0 ? "−" : "+"}${Math.abs(push * 100).toFixed(1)})`;
  return [name.replaceAll("_", " "), amount, unit].filter(Boolean).join(" ") + points;
}

/** Event time in words, for recorded data; always UTC, and says so. */
export function moment(us: number): string {
  return new Date(us / 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC";
}
