// The page put together: the line feeds the squad, the squad is drawn, and ages go on between frames.

import "./style.css";
import { bannersOf, drawBanners } from "./banners.ts";
import { Details } from "./details.ts";
import { byId, setAttribute, setText } from "./dom.ts";
import { Grid } from "./grid.ts";
import { Line, type LineState } from "./line.ts";
import { offerLinks } from "./share.ts";
import { Squad } from "./squad.ts";
import { Announcer, summaryOf } from "./summary.ts";
import type { Message } from "./wire.ts";

/** Ages grow even when nothing comes, ms. */
const REDRAW_MS = 500;

const squad = new Squad();
const grid = new Grid(byId("squad"), choose);
const details = new Details(byId("details"), close);
const announcer = new Announcer();
const share = byId<HTMLButtonElement>("share");

let line: LineState | "connecting" = "connecting";
let chosen: number | null = null;
let chosenId: string | null = null;
let receivedMs = performance.now();
let asked = false;

/** The server's clock now, µs: what it said last and the time since, so that this device's clock does not matter. */
function nowUs(): number {
  return squad.nowUs + (performance.now() - receivedMs) * 1000;
}

function take(message: Message): void {
  squad.take(message);
  receivedMs = performance.now();
  if (message.kind === "all") again();
  askToDraw();
}

/** Everything was told anew, perhaps by a new server, whose numbers for athletes are others. */
function again(): void {
  if (chosenId === null) return;
  chosen = squad.byId(chosenId)?.about.i ?? null;
  if (chosen === null) close();
  else details.refill();
}

function askToDraw(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(draw);
}

function draw(): void {
  asked = false;
  const views = grid.draw(squad, nowUs(), chosen);
  const [athlete, seen] = chosen === null ? [] : [squad.athletes.get(chosen), views.get(chosen)];
  if (athlete && seen) details.draw(athlete, seen);
  else if (chosen !== null) close();
  drawBanners(byId("banners"), bannersOf(line, squad));
  setText(byId("summary"), squad.athletes.size ? summaryOf(views.values()) : "");
  drawLine();
  const news = announcer.news(views.values());
  if (news) setText(byId("announce"), news);
}

function drawLine(): void {
  const live = line === "open" && squad.feed.state === "live";
  setText(byId("line"), live ? "Live" : line === "connecting" ? "Connecting" : "Not live");
  setAttribute(byId("line"), "data-live", String(live));
  share.hidden = line !== "open";
}

function choose(index: number): void {
  const athlete = squad.athletes.get(index);
  if (index === chosen || !athlete) return close();
  [chosen, chosenId] = [index, athlete.about.id];
  document.body.dataset["chosen"] = "";
  details.show(athlete);
  draw();
}

function close(): void {
  const last = chosen;
  [chosen, chosenId] = [null, null];
  delete document.body.dataset["chosen"];
  details.hide();
  if (last !== null) grid.focus(last);
  askToDraw();
}

offerLinks(share);
setInterval(askToDraw, REDRAW_MS);
new Line({
  message: take,
  state(state) {
    line = state;
    askToDraw();
  },
});
