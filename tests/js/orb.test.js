/** The orb's outline follows what is said. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bandsOf,
  outline,
} from "../../realtime_widget/static/realtime_widget/views/orb.js";

/** @param {string} path */
function radii(path) {
  return path
    .slice(1, -1)
    .split("L")
    .map((point) => Math.hypot(...point.split(" ").map(Number)));
}

test("silence draws a circle", () => {
  for (const radius of radii(outline([0, 0, 0, 0, 0], 34, 5))) {
    assert.ok(Math.abs(radius - 34) < 0.02);
  }
});

test("a loud voice bends the edge outwards, and never out of the drawing", () => {
  const quiet = Math.max(...radii(outline([0.1, 0.1, 0, 0, 0], 34, 1)));
  const loud = radii(outline([0.9, 0.8, 0.5, 0.4, 0.2], 34 * 1.16, 1));
  assert.ok(Math.max(...loud) > quiet + 3);
  assert.ok(Math.min(...loud) >= 34);
  assert.ok(Math.max(...loud) <= 60);
});

test("the edge moves with time", () => {
  const bands = [0.4, 0.2, 0.1, 0, 0];
  assert.notEqual(outline(bands, 34, 0), outline(bands, 34, 1));
});

test("bands are the loudness of their bins", () => {
  const bins = new Uint8Array(128);
  assert.deepEqual(bandsOf(bins), [0, 0, 0, 0, 0]);
  bins.fill(255, 0, 12);
  assert.deepEqual(bandsOf(bins), [1, 0, 0, 0, 0]);
  assert.deepEqual(bandsOf(new Uint8Array(0)), [0, 0, 0, 0, 0]);
});
