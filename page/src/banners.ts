// What is wrong with the whole page, in words, above the tiles. Pure but for the drawing at the end.

import { make } from "./dom.ts";
import type { LineState } from "./line.ts";
import type { Squad } from "./squad.ts";
import { moment } from "./words.ts";

export interface Banner {
  readonly kind: "bad" | "note";
  readonly text: string;
}

/** Event time this far from publishing time is a recording that is played, not data that came late. */
const RECORDED_US = 3600e6;

export function bannersOf(line: LineState | "connecting", squad: Squad): Banner[] {
  return [lineBanner(line), line === "open" ? feedBanner(squad) : null, recordedBanner(squad)].filter(
    (banner) => banner !== null,
  );
}

function lineBanner(line: LineState | "connecting"): Banner | null {
  switch (line) {
    case "lost":
      return { kind: "bad", text: "No connection to the server. What you see is not live; connecting again…" };
    case "no session":
      return {
        kind: "note",
        text: "You need a login link to see athletes. Open the newest link that “touchline web” or “touchline demo” printed; each works once.",
      };
    case "outdated":
      return { kind: "bad", text: "The server was updated. Reload this page." };
    default:
      return null;
  }
}

function feedBanner({ feed, athletes }: Squad): Banner | null {
  if (feed.state === "away") return { kind: "bad", text: `No live data: ${feed.detail}.` };
  if (feed.state === "connecting") return { kind: "note", text: "Connecting to the broker…" };
  return athletes.size ? null : { kind: "note", text: "No athlete has been scored yet. Tiles appear with the first second." };
}

function recordedBanner({ athletes }: Squad): Banner | null {
  const recorded = [...athletes.values()].filter((a) => Math.abs(a.publishedUs - a.endUs) > RECORDED_US);
  if (!recorded.length || recorded.length < athletes.size) return null;
  const newest = Math.max(...recorded.map((athlete) => athlete.endUs));
  return { kind: "note", text: `Recorded or simulated time: these seconds are from ${moment(newest)}.` };
}

export function drawBanners(root: HTMLElement, banners: readonly Banner[]): void {
  const [said, known] = [banners.map((b) => b.text), [...root.children].map((child) => child.textContent)];
  if (said.join("\n") === known.join("\n")) return;
  root.replaceChildren(...banners.map(({ kind, text }) => make("p", { class: `banner ${kind}` }, text)));
}
