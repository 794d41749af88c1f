import assert from "node:assert/strict";
import { test } from "node:test";
import { Order, SETTLE_MS, type Standing } from "../src/order.ts";
import type { Need } from "../src/view.ts";

const NAMES = ["Ada", "Bea", "Cid", "Dot"];
const standings = (...needs: Need[]): Standing[] =>
  needs.map((need, index) => ({ index, need, name: NAMES[index] ?? String(index) }));

test("who needs attention comes first, then by name", () => {
  assert.deepEqual(new Order().arrange(standings(2, 0, 3, 1), 0, false), [1, 3, 0, 2]);
});

test("numbers in names count as numbers", () => {
  const named = ["p10", "p2", "p1"].map((name, index) => ({ index, name, need: 2 as Need }));
  assert.deepEqual(new Order().arrange(named, 0, false), [2, 1, 0]);
});

test("a tile goes up at once", () => {
  const order = new Order();
  order.arrange(standings(2, 2, 2), 0, false);
  assert.deepEqual(order.arrange(standings(2, 2, 0), 1, false), [2, 0, 1]);
});

test("a tile goes down only after half a minute of needing less", () => {
  const order = new Order();
  order.arrange(standings(2, 2, 0), 0, false);
  assert.deepEqual(order.arrange(standings(2, 2, 2), 1_000, false), [2, 0, 1]);
  assert.deepEqual(order.arrange(standings(2, 2, 2), 999 + SETTLE_MS, false), [2, 0, 1]);
  assert.deepEqual(order.arrange(standings(2, 2, 2), 1_000 + SETTLE_MS, false), [0, 1, 2]);
});

test("an alert that comes back within that time starts the half minute anew", () => {
  const order = new Order();
  order.arrange(standings(2, 0), 0, false);
  order.arrange(standings(2, 2), 1_000, false);
  order.arrange(standings(2, 0), 20_000, false);
  order.arrange(standings(2, 2), 21_000, false);
  assert.deepEqual(order.arrange(standings(2, 2), 20_000 + SETTLE_MS, false), [1, 0]);
});

test("nothing moves while somebody is about to touch a tile", () => {
  const order = new Order();
  order.arrange(standings(2, 2, 2), 0, false);
  assert.deepEqual(order.arrange(standings(2, 2, 0), 1, true), [0, 1, 2]);
  assert.deepEqual(order.arrange(standings(2, 2, 0), 2, false), [2, 0, 1]);
});

test("who goes leaves no gap, and who comes has a place, held or not", () => {
  const order = new Order();
  order.arrange(standings(2, 2, 2), 0, false);
  assert.deepEqual(order.arrange(standings(2, 2), 1, true), [0, 1]);
  assert.deepEqual(order.arrange(standings(2, 2, 2, 2), 2, true), [0, 1, 2, 3]);
});
