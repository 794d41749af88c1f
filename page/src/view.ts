// What a tile says of an athlete at a moment: the place where it is decided what may be shown as live. Pure.

import type { Athlete } from "./squad.ts";
import { distance, duration, fixed, NONE, percent, ruleName } from "./words.ts";
import type { AlertState, WireAlert } from "./wire.ts";

/** stale: nothing from the sensor lately. over: the session has ended, its totals stand. */
export type Condition = "live" | "stale" | "over";

/** How much it asks to be looked at: 0 most. */
export type Need = 0 | 1 | 2 | 3;

export interface Measure {
  /** Without unit; an en dash where there is none. */
  readonly text: string;
  readonly unit: string;
  /** The interval in words, or why there is no value. */
  readonly aside: string;
  /** Interval and value as shares of the scale, for the bar; null where there is none. */
  readonly bar: Bar | null;
}

export interface Bar {
  readonly low: number;
  readonly at: number;
  readonly high: number;
}

export interface Badge {
  readonly state: AlertState | "silent" | "over" | "behind" | "ok";
  readonly text: string;
}

export interface View {
  readonly name: string;
  readonly condition: Condition;
  readonly need: Need;
  readonly badge: Badge;
  readonly performance: Measure;
  readonly risk: Measure;
  /** Says where the risk is a guess: the model was trained on other people. */
  readonly riskLabel: string;
  readonly heart: Measure;
  readonly speed: Measure;
  readonly load: Measure;
  readonly distance: string;
  /** What a stale tile knew last, in words. */
  readonly last: string;
  /** All of it in one sentence, for a screen reader. */
  readonly spoken: string;
}

/** The rule that is shown as the condition of the tile, not as an alert. */
const SILENT = "sensor_silent";
/** The risk bar ends here; a higher risk fills it. */
const RISK_SCALE = 0.1;
const SECOND_US = 1e6;
const ORDER: readonly AlertState[] = ["firing", "stale", "pending"];

export function view(athlete: Athlete, nowUs: number, silentAfterUs: number): View {
  const condition = conditionOf(athlete, nowUs, silentAfterUs);
  const alert = foremost(athlete.about.alerts);
  const measures = condition === "live" ? measured(athlete) : blank(athlete);
  const badge = badgeOf(athlete, condition, alert, nowUs, silentAfterUs);
  const name = athlete.about.name ?? athlete.about.id;
  const last = condition === "stale" ? lastKnown(athlete) : "";
  const riskLabel = athlete.about.notes.outside_population ? "Risk, a guess" : "Risk, 7 days";
  const said = { name, condition, need: needOf(condition, alert), badge, last, riskLabel, ...measures };
  return { ...said, spoken: spoken(said) };
}

/** Seconds since the sensor gave something. */
export function ageS(athlete: Athlete, nowUs: number): number {
  return Math.max(0, nowUs - athlete.heardUs) / SECOND_US;
}

export function conditionOf(athlete: Athlete, nowUs: number, silentAfterUs: number): Condition {
  if (athlete.about.final) return "over";
  const old = nowUs - athlete.heardUs > silentAfterUs;
  return old || athlete.about.silent ? "stale" : "live";
}

/** The alert to show on a tile: firing before stale before pending, then the one that has been on longest. */
export function foremost(alerts: readonly WireAlert[]): WireAlert | null {
  const shown = alerts.filter((alert) => alert.rule !== SILENT);
  const ranked = shown.sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.since_us - b.since_us,
  );
  return ranked[0] ?? null;
}

function needOf(condition: Condition, alert: WireAlert | null): Need {
  if (condition === "over") return 3;
  if (alert?.state === "firing") return 0;
  return condition === "stale" || alert ? 1 : 2;
}

function badgeOf(
  athlete: Athlete, condition: Condition, alert: WireAlert | null, nowUs: number, silentAfterUs: number,
): Badge {
  const age = duration(ageS(athlete, nowUs));
  if (condition === "over") return { state: "over", text: "Session over" };
  if (condition === "stale") {
    const kept = alert ? ` · ${ruleName(alert.rule)} before` : "";
    return { state: "silent", text: `No data for ${age}${kept}` };
  }
  if (alert) return { state: alert.state, text: alertText(alert) };
  const behindUs = athlete.publishedUs - athlete.endUs;
  if (behindUs > silentAfterUs && behindUs < 3600 * SECOND_US) {
    return { state: "behind", text: `${duration(behindUs / SECOND_US)} behind` };
  }
  return { state: "ok", text: ageS(athlete, nowUs) < 3 ? "Live" : `${age} ago` };
}

function alertText(alert: WireAlert): string {
  const name = ruleName(alert.rule);
  if (alert.state === "firing") return name;
  return alert.state === "pending" ? `Watch: ${name.toLowerCase()}` : `${name}, value missing`;
}

type Measures = Pick<View, "performance" | "risk" | "heart" | "speed" | "load" | "distance">;

function measured(athlete: Athlete): Measures {
  const get = (name: string) => athlete.values.get(name) ?? null;
  return {
    performance: performance(athlete),
    risk: risk(athlete),
    heart: plain(fixed(get("live_heart_rate"), 0), "bpm", reserve(get("live_heart_rate_reserve"))),
    speed: plain(fixed(get("live_speed"), 1), "m/s", ""),
    load: plain(fixed(get("totals_player_load_au"), 0), "AU load", ""),
    distance: distance(get("totals_distance_m")),
  };
}

/** What is not live shows no value as if it were; totals stand, they only stopped growing. */
function blank(athlete: Athlete): Measures {
  const none = (unit: string) => plain(NONE, unit, "");
  const { load, distance: run } = measured(athlete);
  return { performance: none(""), risk: none("%"), heart: none("bpm"), speed: none("m/s"), load, distance: run };
}

function performance(athlete: Athlete): Measure {
  const [at, low, high] = triple(athlete, ["performance_score", "performance_low", "performance_high"]);
  if (at === null) return plain(NONE, "", athlete.about.notes.performance_abstains ?? "no value");
  if (low === null || high === null) return plain(fixed(at, 0), "", "");
  const bar = { low: share(low, 100), at: share(at, 100), high: share(high, 100) };
  return { text: fixed(at, 0), unit: "", aside: `${fixed(low, 0)}–${fixed(high, 0)}`, bar };
}

function risk(athlete: Athlete): Measure {
  const [at, low, high] = triple(athlete, ["injury_risk", "injury_low", "injury_high"]);
  if (at === null) return plain(NONE, "%", athlete.about.notes.injury_abstains ?? "no value");
  const aside = low === null || high === null ? "" : `${percent(low)}–${percent(high)} %`;
  const [from, to] = [share(low ?? at, RISK_SCALE), share(high ?? at, RISK_SCALE)];
  return { text: percent(at), unit: "%", aside, bar: { low: from, at: share(at, RISK_SCALE), high: to } };
}

type Triple<T> = readonly [T, T, T];

function triple(athlete: Athlete, [at, low, high]: Triple<string>): Triple<number | null> {
  const get = (name: string) => athlete.values.get(name) ?? null;
  return [get(at), get(low), get(high)];
}

function plain(text: string, unit: string, aside: string): Measure {
  return { text, unit, aside, bar: null };
}

function share(value: number, scale: number): number {
  return Math.min(1, Math.max(0, value / scale));
}

function reserve(value: number | null): string {
  return value === null ? "" : `${fixed(100 * value, 0)} % of reserve`;
}

function lastKnown(athlete: Athlete): string {
  const { performance: score, heart } = measured(athlete);
  const parts = [
    score.text === NONE ? "" : `performance ${score.text}`,
    heart.text === NONE ? "" : `${heart.text} bpm`,
  ].filter(Boolean);
  return parts.length ? `Last: ${parts.join(", ")}` : "";
}

function spoken(said: Omit<View, "spoken">): string {
  const say = (label: string, { text, unit, aside }: Measure) =>
    text === NONE ? `${label} not known${aside ? `, ${aside}` : ""}` : `${label} ${text} ${unit}`.trim();
  const values =
    said.condition !== "live"
      ? [said.last]
      : [
          `${say("performance", said.performance)}${said.performance.bar ? ` of 100, ${said.performance.aside}` : ""}`,
          say("injury risk", said.risk),
          say("heart rate", said.heart),
          say("speed", said.speed),
        ];
  return [`${said.name}: ${said.badge.text}`, ...values, say("load", said.load), `distance ${said.distance}`]
    .filter(Boolean)
    .join("; ");
}
