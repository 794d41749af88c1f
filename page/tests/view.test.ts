import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionOf, foremost, view } from "../src/view.ts";
import { about, alert, athlete, NOW_US, SILENT_US } from "./people.ts";

const seen = (...of: Parameters<typeof athlete>) => view(athlete(...of), NOW_US, SILENT_US);

test("a live tile shows values with their units and intervals", () => {
  const { performance, risk, heart, speed, load, distance, badge } = seen();
  assert.deepEqual([performance.text, performance.aside], ["61", "48–74"]);
  assert.deepEqual([risk.text, risk.unit, risk.aside], ["2.1", "%", "1.1–4.1 %"]);
  assert.deepEqual([heart.text, heart.unit, speed.text, speed.unit], ["162", "bpm", "4.2", "m/s"]);
  assert.deepEqual([load.text, load.unit, distance], ["312", "AU load", "5.43 km"]);
  assert.deepEqual(badge, { state: "ok", text: "Live" });
});

test("the bars are shares of their scale and never leave it", () => {
  const { performance, risk } = seen({}, 0, { injury_risk: 0.05, injury_low: 0.025, injury_high: 0.3 });
  assert.deepEqual(performance.bar, { low: 0.48, at: 0.613, high: 0.74 });
  assert.deepEqual(risk.bar, { low: 0.25, at: 0.5, high: 1 });
});

test("an athlete is live up to the silence and stale past it", () => {
  assert.equal(conditionOf(athlete({}, 10), NOW_US, SILENT_US), "live");
  assert.equal(conditionOf(athlete({}, 10.1), NOW_US, SILENT_US), "stale");
});

test("an athlete whose sensor the worker calls silent is stale, however young the last score", () => {
  assert.equal(conditionOf(athlete({ silent: true }), NOW_US, SILENT_US), "stale");
});

test("a stale tile shows no live value, says since when, and keeps the totals", () => {
  const { performance, risk, heart, speed, load, badge, last } = seen({}, 34);
  assert.deepEqual([performance.text, risk.text, heart.text, speed.text], ["–", "–", "–", "–"]);
  assert.equal(load.text, "312");
  assert.deepEqual(badge, { state: "silent", text: "No data for 34 s" });
  assert.equal(last, "Last: performance 61, 162 bpm");
});

test("a stale tile says which alert was on before", () => {
  assert.equal(seen({ alerts: [alert()] }, 34).badge.text, "No data for 34 s · Heart rate high before");
});

test("a session that ended is over, not stale, and comes last", () => {
  const { condition, badge, need, performance } = seen({ final: true }, 900);
  assert.deepEqual([condition, badge.text, need, performance.text], ["over", "Session over", 3, "–"]);
});

test("a head that abstains gives a dash and its reason", () => {
  const notes = { ...about().notes, performance_abstains: "no heart rate", injury_abstains: "injury reported" };
  const { performance, risk } = seen({ notes }, 0, { performance_score: null, injury_risk: null });
  assert.deepEqual([performance.text, performance.aside, performance.bar], ["–", "no heart rate", null]);
  assert.deepEqual([risk.text, risk.aside, risk.bar], ["–", "injury reported", null]);
});

test("a risk outside the model's population is called a guess", () => {
  const notes = { ...about().notes, outside_population: true };
  assert.equal(seen({ notes }).riskLabel, "Risk, a guess");
});

test("the foremost alert is firing before stale before pending, then the oldest", () => {
  const pending = alert({ state: "pending", since_us: 1, rule: "p" });
  const stale = alert({ state: "stale", since_us: 2, rule: "s" });
  const young = alert({ since_us: 9, rule: "young" });
  const old = alert({ since_us: 3, rule: "old" });
  assert.equal(foremost([pending, stale, young, old])?.rule, "old");
  assert.equal(foremost([pending, stale])?.rule, "s");
  assert.equal(foremost([]), null);
});

test("silence is the tile's condition and never its alert", () => {
  assert.equal(foremost([alert({ rule: "sensor_silent" })]), null);
});

test("every alert state has words of its own", () => {
  assert.equal(seen({ alerts: [alert()] }).badge.text, "Heart rate high");
  assert.equal(seen({ alerts: [alert({ state: "pending" })] }).badge.text, "Watch: heart rate high");
  assert.equal(seen({ alerts: [alert({ state: "stale" })] }).badge.text, "Heart rate high, value missing");
});

test("need goes firing, then stale or pending, then live, then over", () => {
  const needs = [
    seen({ alerts: [alert()] }), seen({ alerts: [alert({ state: "pending" })] }), seen({}, 60), seen(), seen({ final: true }),
  ].map(({ need }) => need);
  assert.deepEqual(needs, [0, 1, 1, 2, 3]);
});

test("scores of seconds that lie far back are marked as behind", () => {
  const late = { ...athlete(), endUs: NOW_US - 95e6 };
  assert.deepEqual(view(late, NOW_US, SILENT_US).badge, { state: "behind", text: "94 s behind" });
});

test("the sentence for a screen reader has name, state, values and units", () => {
  assert.equal(
    seen().spoken,
    "Ada: Live; performance 61 of 100, 48–74; injury risk 2.1 %; heart rate 162 bpm; speed 4.2 m/s; load 312 AU load; distance 5.43 km",
  );
  assert.match(seen({}, 34).spoken, /^Ada: No data for 34 s; Last: performance 61, 162 bpm; load/);
});

test("who has no name goes by the id", () => {
  assert.equal(seen({ name: null, id: "player-9" }).name, "player-9");
});
