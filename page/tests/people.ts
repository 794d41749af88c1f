// Athletes for tests.

import type { Athlete } from "../src/squad.ts";
import type { About, WireAlert } from "../src/wire.ts";

export const NOW_US = 1_795_618_800_000_000;
export const SILENT_US = 10_000_000;

export function alert(parts: Partial<WireAlert> = {}): WireAlert {
  const plain = { message: "", value: null, threshold: null, unit: null };
  return { rule: "heart_rate_high", state: "firing", since_us: NOW_US, ...plain, ...parts };
}

export function about(parts: Partial<About> = {}): About {
  const notes = { performance_abstains: null, injury_abstains: null, outside_population: false, load_source: null, injury_because: [], today: null };
  return {
    i: 0, id: "a1", name: "Ada", squad: null, session: "match", final: false, silent: false, notes, alerts: [], ...parts,
  };
}

export function athlete(parts: Partial<About> = {}, ageS = 0.5, values: Record<string, number | null> = {}): Athlete {
  const heardUs = NOW_US - ageS * 1e6;
  const known = {
    performance_score: 61.3, performance_low: 48, performance_high: 74,
    injury_risk: 0.0213, injury_low: 0.011, injury_high: 0.041,
    live_heart_rate: 162, live_heart_rate_reserve: 0.81, live_speed: 4.24,
    totals_player_load_au: 312.4, totals_distance_m: 5432,
    ...values,
  };
  return { about: about(parts), values: new Map(Object.entries(known)), endUs: heardUs, publishedUs: heardUs, heardUs };
}
