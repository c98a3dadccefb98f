import assert from "node:assert/strict";
import { test } from "node:test";

import {
  DEFAULT_MAX_SCALE,
  scaleOf,
} from "../../realtime_widget/static/realtime_widget/views/avatar.js";

test("silence leaves the picture as it is", () => {
  assert.equal(scaleOf(new Uint8Array(128), 2.5), 1);
});

test("the loudest sound makes it as large as it may become", () => {
  assert.equal(scaleOf(new Uint8Array(128).fill(255), 2.5), 2.5);
});

test("half the loudness goes half the way", () => {
  assert.equal(scaleOf(new Uint8Array(128).fill(127.5), 3), 1 + (127 / 255) * 2);
});

test("no bins are silence", () => {
  assert.equal(scaleOf(new Uint8Array(0), 2.5), 1);
  assert.equal(DEFAULT_MAX_SCALE, 2.5);
});
