// What comes over the WebSocket; described in docs/reference/web.md. Types and one check, no state.

export const WIRE_VERSION = 1;

/** A number of a score; null where there is none. */
export type Value = number | null;

/** index, window end, published, heard (µs), then one value for each of the columns. */
export type WireRow = readonly [number, number, number, number, ...Value[]];

export type AlertState = "pending" | "firing" | "stale";

export interface WireAlert {
  readonly rule: string;
  readonly state: AlertState;
  /** Event time of the last transition, µs. */
  readonly since_us: number;
  readonly message: string;
  readonly value: Value;
  readonly threshold: Value;
  readonly unit: string | null;
}

/** An input, and how far it pushed a score; null where nobody knows. */
export interface Pushed {
  readonly name: string;
  readonly value: Value;
  readonly unit: string | null;
  readonly push: Value;
}

/** Load so far and planned, AU; the risk it gives, null where today's load was not shown to better the model. */
export interface Today {
  readonly load: number;
  readonly load_planned: number;
  readonly load_source: string;
  readonly risk: Value;
  readonly low: Value;
  readonly high: Value;
}

export interface Notes {
  readonly performance_abstains: string | null;
  readonly injury_abstains: string | null;
  readonly outside_population: boolean;
  readonly load_source: string | null;
  /** What pushed the risk most, in probability. */
  readonly injury_because: readonly Pushed[];
  readonly today: Today | null;
}

/** What changes seldom. */
export interface About {
  readonly i: number;
  readonly id: string;
  readonly name: string | null;
  readonly squad: string | null;
  readonly session: string;
  readonly final: boolean;
  readonly silent: boolean;
  readonly notes: Notes;
  readonly alerts: readonly WireAlert[];
}

export interface FeedStatus {
  readonly state: "connecting" | "live" | "away";
  readonly detail: string;
}

export interface All {
  readonly kind: "all";
  readonly v: number;
  readonly now_us: number;
  readonly silent_after_us: number;
  readonly columns: readonly string[];
  readonly feed: FeedStatus;
  readonly about: readonly About[];
  readonly rows: readonly WireRow[];
}

export interface Some {
  readonly kind: "some";
  readonly now_us: number;
  readonly rows?: readonly WireRow[];
  readonly about?: readonly About[];
  readonly gone?: readonly number[];
  readonly feed?: FeedStatus;
}

export type Message = All | Some;

/** A message; null where the server speaks another version, because it was updated under an open page. */
export function decode(text: string): Message | null {
  const message = JSON.parse(text) as Message;
  return message.kind === "all" && message.v !== WIRE_VERSION ? null : message;
}
