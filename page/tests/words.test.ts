import assert from "node:assert/strict";
import { test } from "node:test";
import { markText, marks } from "../src/axis.ts";
import { waitMs } from "../src/backoff.ts";
import { PANELS, reading } from "../src/panels.ts";
import { count, distance, duration, fixed, moment, percent, pushedBy, ruleName, todayLoad, todayRisk } from "../src/words.ts";

test("a duration is in the unit people would use", () => {
  assert.deepEqual([0, 34.9, 99, 100, 3599, 3600, 4000].map(duration), [
    "0 s", "34 s", "99 s", "1 min", "59 min", "1 h", "1 h 6 min",
  ]);
});

test("per cent has a digit only where it is small", () => {
  assert.deepEqual([0.0213, 0.0994, 0.0996, 0.11, null].map(percent), ["2.1", "9.9", "10", "11", "–"]);
});

test("a distance is in metres below one kilometre", () => {
  assert.deepEqual([640.4, 5432, null].map(distance), ["640 m", "5.43 km", "–"]);
});

test("nothing is a dash", () => {
  assert.deepEqual([fixed(null, 1), fixed(undefined, 1), fixed(0, 1)], ["–", "–", "0.0"]);
});

test("a rule has its name, an unknown one its own words", () => {
  assert.deepEqual(["heart_rate_high", "my_own_rule"].map(ruleName), ["Heart rate high", "My own rule"]);
});

test("what pushed a risk has its value, its unit and its push in points", () => {
  const inputs = [
    { name: "load", value: 912.34, unit: "AU", push: 0.0123 },
    { name: "sleep_quality", value: 4, unit: "of 5", push: -0.002 },
    { name: "mood", value: null, unit: "of 5", push: null },
  ];
  assert.equal(pushedBy(inputs), "load 912 AU (+1.2), sleep quality 4 of 5 (−0.2), mood – of 5");
});

test("the load of today stands against the day's, and its risk has its interval", () => {
  const today = { load: 412.4, load_planned: 600, load_source: "heart_rate", risk: 0.031, low: 0.02, high: 0.056 };
  assert.deepEqual([todayLoad(today), todayLoad(null)], ["412 of 600 AU, by heart rate", "–"]);
  assert.equal(todayLoad({ ...today, load_source: "reported" }), "412 of 600 AU, reported");
  assert.equal(todayRisk(today), "Injury risk with today's load so far: 3.1 % (2.0 to 5.6).");
});

test("one is one and two are many", () => {
  assert.deepEqual([count(1, "alert", "alerts"), count(2, "alert", "alerts")], ["1 alert", "2 alerts"]);
});

test("a moment says that it is UTC", () => {
  assert.equal(moment(1_795_618_800_000_000), "2026-11-25 15:00 UTC");
});

test("the axis is marked from its end back", () => {
  assert.deepEqual(marks(100, 700, 5), [100, 220, 340, 460, 580, 700]);
  assert.deepEqual(marks(0, 5400, 5).length, 4);
});

test("marks count back in minutes, and the end has its own word", () => {
  assert.deepEqual([700, 580, 675].map((at) => markText(at, 700, "now")), ["now", "−2 min", "−0:25 min"]);
});

test("waiting doubles to eight seconds and is spread by half", () => {
  assert.deepEqual([waitMs(0, 1), waitMs(1, 1), waitMs(9, 1), waitMs(9, 0)], [500, 1000, 8000, 4000]);
});

test("a reading has the interval only where there is one", () => {
  const [performance, heart] = PANELS;
  assert.ok(performance && heart);
  assert.equal(reading(performance, [61.3, 48, 74]), "61 (48–74) of 100");
  assert.equal(reading(performance, [null, null, null]), "– of 100");
  assert.equal(reading(heart, [162]), "162 bpm");
});
