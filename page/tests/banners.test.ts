import assert from "node:assert/strict";
import { test } from "node:test";
import { bannersOf } from "../src/banners.ts";
import { Squad } from "../src/squad.ts";
import { Announcer, summaryOf } from "../src/summary.ts";
import { view } from "../src/view.ts";
import { alert, athlete, NOW_US, SILENT_US } from "./people.ts";

function squad(...of: ReturnType<typeof athlete>[]): Squad {
  const found = new Squad();
  found.feed = { state: "live", detail: "" };
  of.forEach((one, k) => found.athletes.set(k, one));
  return found;
}

const seen = (...of: Parameters<typeof athlete>) => view(athlete(...of), NOW_US, SILENT_US);

test("with everything well there is no banner", () => {
  assert.deepEqual(bannersOf("open", squad(athlete())), []);
});

test("a lost line, a missing session and a broker that is away are said in words", () => {
  assert.match(bannersOf("lost", squad(athlete()))[0]?.text ?? "", /not live/);
  assert.match(bannersOf("no session", squad())[0]?.text ?? "", /login link/);
  const away = squad(athlete());
  away.feed = { state: "away", detail: "no Kafka broker answers at here:9092" };
  assert.match(bannersOf("open", away)[0]?.text ?? "", /no Kafka broker answers at here:9092/);
});

test("data from another day are called recorded, and only where all of them are", () => {
  const old = { ...athlete(), endUs: NOW_US - 86_400e6 };
  assert.match(bannersOf("open", squad(old))[0]?.text ?? "", /2026-11-24/);
  assert.deepEqual(bannersOf("open", squad(old, athlete())), []);
});

test("the summary counts athletes, alerts and who is without data", () => {
  assert.equal(summaryOf([seen(), seen({ alerts: [alert()] }), seen({}, 60)]), "3 athletes · 1 alert · 1 without data");
  assert.equal(summaryOf([seen()]), "1 athlete · no alert");
});

test("an alert is announced once, when it begins, and not those that were on at the start", () => {
  const announcer = new Announcer();
  const [bea, ada] = [seen({ name: "Bea", alerts: [alert()] }), seen({ alerts: [alert()] })];
  assert.equal(announcer.news([bea]), "");
  assert.equal(announcer.news([bea, ada]), "Ada: Heart rate high");
  assert.equal(announcer.news([bea, ada]), "");
});
