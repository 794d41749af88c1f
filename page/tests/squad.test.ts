import assert from "node:assert/strict";
import { test } from "node:test";
import { Squad } from "../src/squad.ts";
import { type All, decode } from "../src/wire.ts";
import { about, NOW_US } from "./people.ts";

const all = (parts: Partial<All> = {}): All => ({
  kind: "all", v: 1, now_us: NOW_US, silent_after_us: 7e6, columns: ["performance_score", "live_speed"],
  feed: { state: "live", detail: "" }, about: [about()], rows: [[0, 10, 11, 12, 61.3, null]], ...parts,
});

test("a whole message gives everybody with named values", () => {
  const squad = new Squad();
  assert.deepEqual([...squad.take(all())], [0]);
  const ada = squad.athletes.get(0);
  assert.deepEqual([ada?.endUs, ada?.publishedUs, ada?.heardUs], [10, 11, 12]);
  assert.deepEqual([...(ada?.values ?? [])], [["performance_score", 61.3], ["live_speed", null]]);
  assert.equal(squad.silentAfterUs, 7e6);
});

test("a part changes what it names and leaves the rest", () => {
  const squad = new Squad();
  squad.take(all({ about: [about(), about({ i: 1, id: "a2" })], rows: [[0, 1, 1, 1, 5, 6], [1, 1, 1, 1, 7, 8]] }));
  squad.take({ kind: "some", now_us: NOW_US + 1, rows: [[1, 2, 2, 2, 9, 10]] });
  assert.equal(squad.athletes.get(0)?.values.get("live_speed"), 6);
  assert.equal(squad.athletes.get(1)?.values.get("live_speed"), 10);
  assert.equal(squad.nowUs, NOW_US + 1);
});

test("what changes seldom is replaced and the values stay", () => {
  const squad = new Squad();
  squad.take(all());
  squad.take({ kind: "some", now_us: NOW_US, about: [about({ silent: true })] });
  assert.equal(squad.athletes.get(0)?.about.silent, true);
  assert.equal(squad.athletes.get(0)?.values.get("performance_score"), 61.3);
});

test("who is gone is gone, and a whole message forgets who is not in it", () => {
  const squad = new Squad();
  squad.take(all({ about: [about(), about({ i: 1, id: "a2" })] }));
  squad.take({ kind: "some", now_us: NOW_US, gone: [0] });
  assert.deepEqual([...squad.athletes.keys()], [1]);
  squad.take(all());
  assert.deepEqual([...squad.athletes.keys()], [0]);
});

test("a row of somebody unknown is left out", () => {
  const squad = new Squad();
  squad.take(all());
  squad.take({ kind: "some", now_us: NOW_US, rows: [[9, 1, 1, 1, 1, 1]] });
  assert.equal(squad.athletes.has(9), false);
});

test("the feed's state is kept until it changes", () => {
  const squad = new Squad();
  squad.take(all());
  squad.take({ kind: "some", now_us: NOW_US, feed: { state: "away", detail: "no broker" } });
  squad.take({ kind: "some", now_us: NOW_US });
  assert.deepEqual(squad.feed, { state: "away", detail: "no broker" });
});

test("an athlete is found by id", () => {
  const squad = new Squad();
  squad.take(all());
  assert.equal(squad.byId("a1")?.about.i, 0);
  assert.equal(squad.byId("nobody"), undefined);
});

test("another version of the wire is refused", () => {
  assert.equal(decode(JSON.stringify(all({ v: 2 }))), null);
  assert.equal(decode(JSON.stringify(all()))?.kind, "all");
});
