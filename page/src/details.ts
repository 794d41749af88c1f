// The chosen athlete: the last minutes as charts, what is on, and the totals.

import { history, NoSession, recent } from "./api.ts";
import { Chart, type Span } from "./chart.ts";
import { make, setAttribute, setText } from "./dom.ts";
import { NAMES, PANELS } from "./panels.ts";
import type { Athlete } from "./squad.ts";
import { Trail } from "./trail.ts";
import type { View } from "./view.ts";
import type { About, WireAlert } from "./wire.ts";
import { distance, duration, fixed, NONE, pushedBy, ruleName, todayLoad, todayRisk } from "./words.ts";

/** Minutes to choose from. The first come from the server's memory, the rest from the store. */
const SPANS = [10, 30, 90] as const;
const FROM_MEMORY = 10;
/** A hole in what is drawn is filled from the server, but not more often than this, ms. */
const REFILL_MS = 3_000;

export class Details {
  readonly #root: HTMLElement;
  readonly #title = make("h2", { tabindex: "-1" });
  readonly #state = make("p", { class: "state" });
  readonly #note = make("p", { class: "note", role: "status" });
  readonly #notices = make("ul", { class: "alerts" });
  readonly #facts = make("dl", { class: "facts" });
  readonly #charts = PANELS.map((panel, k) => new Chart(panel, k === PANELS.length - 1));
  #minutes: number = SPANS[0];
  #athlete: Athlete | null = null;
  #trail: Trail | null = null;
  #loads = 0;
  #loadedMs = -REFILL_MS;

  constructor(root: HTMLElement, closed: () => void) {
    this.#root = root;
    const close = make("button", { type: "button", class: "quiet", "aria-label": "Close" }, "Close");
    close.addEventListener("click", closed);
    root.addEventListener("keydown", (event) => event.key === "Escape" && closed());
    const head = make("header", { class: "details-head" }, this.#title, close);
    const charts = make("div", { class: "charts" }, ...this.#charts.map((chart) => chart.root));
    root.append(head, this.#state, this.#notices, this.#spans(), this.#note, charts, this.#facts);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const chart of this.#charts) chart.restyle();
    });
  }

  show(athlete: Athlete): void {
    this.#athlete = athlete;
    this.#root.hidden = false;
    this.#clear();
    this.#title.focus();
    void this.#load();
  }

  hide(): void {
    this.#athlete = null;
    this.#root.hidden = true;
  }

  /** A frame came: draw what is new of the athlete. */
  draw(athlete: Athlete, seen: View): void {
    if (athlete.about.id !== this.#athlete?.about.id) return;
    this.#athlete = athlete;
    setText(this.#title, seen.name);
    setText(this.#state, stateText(athlete, seen));
    setAttribute(this.#root, "data-condition", seen.condition);
    this.#drawNotices(athlete.about);
    this.#drawFacts(athlete, seen);
    this.#grow(athlete, seen);
  }

  /** The line was lost and is back: what was missed is fetched. */
  refill(): void {
    if (this.#athlete && performance.now() - this.#loadedMs > REFILL_MS) void this.#load();
  }

  #grow(athlete: Athlete, seen: View): void {
    if (!this.#trail) return;
    if (this.#trail.misses(athlete.endUs) && performance.now() - this.#loadedMs > REFILL_MS) void this.#load();
    this.#trail.append(athlete.endUs, athlete.values);
    this.#drawCharts(seen.condition === "live" ? "now" : "last");
  }

  #drawCharts(endWord: string): void {
    if (!this.#trail) return;
    const { times, columns } = this.#trail.columns();
    const endS = this.#trail.endS;
    const span: Span = { startS: endS - this.#minutes * 60, endS, endWord };
    let first = 0;
    for (const [k, chart] of this.#charts.entries()) {
      const width = PANELS[k]?.names.length ?? 1;
      chart.draw(times, columns.slice(first, first + width), span);
      first += width;
    }
  }

  async #load(): Promise<void> {
    const load = ++this.#loads;
    const [id, minutes] = [this.#athlete?.about.id, this.#minutes];
    if (id === undefined) return;
    this.#loadedMs = performance.now();
    try {
      const series = await (minutes <= FROM_MEMORY ? recent(id, minutes) : history(id, minutes, NAMES));
      if (load !== this.#loads) return;
      this.#trail = new Trail(NAMES, minutes * 60, series);
      setText(this.#note, series.times_us.length ? "" : "Nothing is stored for this time yet.");
      this.#drawCharts("now");
    } catch (error) {
      if (load === this.#loads && !(error instanceof NoSession)) setText(this.#note, String(error));
    }
  }

  #clear(): void {
    this.#trail = null;
    setText(this.#note, "");
    for (const chart of this.#charts) chart.draw([], [], { startS: 0, endS: this.#minutes * 60, endWord: "now" });
  }

  #spans(): HTMLElement {
    const group = make("fieldset", { class: "spans" }, make("legend", { class: "hidden" }, "How far back"));
    for (const minutes of SPANS) {
      const input = make("input", { type: "radio", name: "span", value: String(minutes) });
      input.checked = minutes === this.#minutes;
      input.addEventListener("change", () => {
        this.#minutes = minutes;
        void this.#load();
      });
      group.append(make("label", {}, input, make("span", {}, `${minutes} min`)));
    }
    return group;
  }

  #drawNotices(about: About): void {
    const notices = noticesOf(about);
    const known = [...this.#notices.children].map((item) => item.textContent);
    if (notices.map(({ text }) => text).join("\n") === known.join("\n")) return;
    this.#notices.replaceChildren(...notices.map(({ state, text }) => make("li", { "data-state": state }, text)));
  }

  #drawFacts(athlete: Athlete, seen: View): void {
    const facts = factsOf(athlete, seen);
    const known = this.#facts.querySelectorAll("dd");
    if (known.length === facts.length) {
      facts.forEach(([, value], k) => known[k] && setText(known[k], value));
      return;
    }
    const entries = facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    this.#facts.replaceChildren(...entries);
  }
}

function stateText(athlete: Athlete, seen: View): string {
  const { squad, session } = athlete.about;
  return [seen.badge.text, squad, session].filter(Boolean).join(" · ");
}

const STATE_WORDS = { firing: "Alert", pending: "Watching", stale: "Value missing" } as const;

function alertText(alert: WireAlert): string {
  const said = alert.message ? `: ${alert.message}` : "";
  return `${STATE_WORDS[alert.state]} · ${ruleName(alert.rule)}${said}`;
}

/** Alerts that are on, then why something is not said or is to be taken with care. */
function noticesOf({ alerts, notes }: About): { state: string; text: string }[] {
  const reasons = [
    notes.performance_abstains && `Performance is not given: ${notes.performance_abstains}.`,
    notes.injury_abstains && `Injury risk is not given: ${notes.injury_abstains}.`,
    notes.injury_because.length > 0 && `Injury risk, pushed by (points): ${pushedBy(notes.injury_because)}.`,
    notes.today !== null && notes.today.risk !== null && todayRisk(notes.today),
    notes.outside_population && "Injury risk is a guess: the model was not trained on athletes like this one.",
  ];
  return [
    ...alerts.map((alert) => ({ state: alert.state as string, text: alertText(alert) })),
    ...reasons.filter((text) => typeof text === "string").map((text) => ({ state: "none", text })),
  ];
}

function factsOf(athlete: Athlete, seen: View): (readonly [string, string])[] {
  const get = (name: string) => athlete.values.get(name);
  const seconds = get("totals_duration_s");
  return [
    ["PlayerLoad", `${seen.load.text} AU`],
    ["Distance", seen.distance],
    ["Above 5.5 m/s", distance(get("totals_hsr_distance_m"))],
    ["Sprints", fixed(get("totals_sprints"), 0)],
    ["On for", seconds === null || seconds === undefined ? NONE : duration(seconds)],
    ["Load today", todayLoad(athlete.about.notes.today)],
    ["Load known from", (athlete.about.notes.load_source ?? NONE).replaceAll("_", " ")],
  ];
}
