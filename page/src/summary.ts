// The squad in one line, and what is announced to who cannot see. Pure.

import type { View } from "./view.ts";
import { count } from "./words.ts";

export function summaryOf(views: Iterable<View>): string {
  const all = [...views];
  const firing = all.filter((view) => view.badge.state === "firing").length;
  const stale = all.filter((view) => view.condition === "stale").length;
  return [
    count(all.length, "athlete", "athletes"),
    firing ? count(firing, "alert", "alerts") : "no alert",
    stale ? `${stale} without data` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Alerts that began to fire since the last call, in words. */
export class Announcer {
  #known: ReadonlySet<string> | null = null;

  news(views: Iterable<View>): string {
    const firing = new Set(
      [...views].filter((view) => view.badge.state === "firing").map((view) => `${view.name}: ${view.badge.text}`),
    );
    const fresh = this.#known ? [...firing].filter((text) => !this.#known?.has(text)) : [];
    this.#known = firing;
    return fresh.join(". ");
  }
}
