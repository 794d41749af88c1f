import assert from "node:assert/strict";
import { test } from "node:test";
import { type Series, spread, Trail } from "../src/trail.ts";

const NAMES = ["live_speed", "injury_risk"];
const series = (seconds: number[], every_s = 1): Series => ({
  athlete: "a1", every_s, times_us: seconds.map((s) => s * 1e6), fields: { live_speed: seconds.map((s) => s * 10) },
});
const row = (speed: number | null) => new Map([["live_speed", speed], ["injury_risk", 0.5]]);

test("stored columns come back as they are, one that is not there as nothing", () => {
  const { times, columns } = new Trail(NAMES, 60, series([1, 2, 3])).columns();
  assert.deepEqual(times, [1, 2, 3]);
  assert.deepEqual(columns, [[10, 20, 30], [null, null, null]]);
});

test("a live second is added at the end, and a second one of the same time is not", () => {
  const trail = new Trail(NAMES, 60, series([1, 2]));
  trail.append(3e6, row(7));
  trail.append(3e6, row(8));
  assert.deepEqual(trail.columns().columns[0], [10, 20, 7]);
  assert.equal(trail.endS, 3);
});

test("what is older than the span falls off", () => {
  const trail = new Trail(NAMES, 3, series([1, 2, 3]));
  trail.append(4e6, row(7));
  assert.deepEqual(trail.columns().times, [2, 3, 4]);
});

test("a hole has an empty row, so that no line crosses it", () => {
  const { times, columns } = new Trail(NAMES, 60, series([1, 2, 9])).columns();
  assert.deepEqual(times, [1, 2, 3, 9]);
  assert.deepEqual(columns[0], [10, 20, null, 90]);
});

test("thinned points are no holes", () => {
  assert.deepEqual(new Trail(NAMES, 600, series([8, 16, 24], 8)).columns().times, [8, 16, 24]);
});

test("it says when a second would leave a hole that the server could fill", () => {
  const trail = new Trail(NAMES, 60, series([1, 2]));
  assert.equal(trail.misses(3e6), false);
  assert.equal(trail.misses(6e6), true);
  assert.equal(new Trail(NAMES, 60, series([])).misses(6e6), false);
});

test("the spread leaves out what is not there", () => {
  assert.deepEqual(spread([null, 3, 1, null]), { low: 1, high: 3, last: 1 });
  assert.equal(spread([null]), null);
});
