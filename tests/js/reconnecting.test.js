import assert from "node:assert/strict";
import { test } from "node:test";

import {
  isCut,
  mayPass,
  Retries,
} from "../../realtime_widget/static/realtime_widget/reconnecting.js";

test("the wait grows to five seconds, and chance spreads all of it", () => {
  const longest = new Retries(0);
  const waits = Array.from({ length: 7 }, () => longest.next(0, 1));
  assert.deepEqual(waits, [300, 600, 1_200, 2_400, 4_800, 5_000, 5_000]);
  assert.equal(new Retries(0).next(0, 0), 0);
  assert.equal(new Retries(0).next(0, 0.5), 150);
});

test("after a minute nobody waits any more", () => {
  const retries = new Retries(1_000);
  assert.notEqual(retries.next(60_999, 1), null);
  assert.equal(retries.next(61_000, 1), null);
});

for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 4503]) {
  test(`${code} is a cut`, () => {
    assert.equal(isCut(code, false), true);
    assert.equal(isCut(code, true), true);
  });
}

for (const code of [1000, 4400, 4401, 4403, 4404, 4408, 4409, 4410, 4429, 4502]) {
  test(`${code} is an end`, () => {
    assert.equal(isCut(code, false), false);
    assert.equal(isCut(code, true), false);
  });
}

test("a fault of the server ends a call, but not the way back to it", () => {
  assert.equal(isCut(4500, false), false);
  assert.equal(isCut(4500, true), true);
});

test("what a restarting server says may pass, a refusal does not", () => {
  const codes = ["connection_lost", "internal", "draining", "origin", "limit", "token"];
  assert.deepEqual(codes.filter(mayPass), codes.slice(0, 3));
});
