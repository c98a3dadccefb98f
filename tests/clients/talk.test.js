/** The judge itself: it refuses what the clients would pass on as it is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "./talk.js";

const CLEARED = { type: "input_audio_buffer.cleared", event_id: "event_1" };

test("an event of the protocol passes", () => check(CLEARED));

test("an event of another type or shape fails", () => {
  assert.throws(() => check({ ...CLEARED, type: "input_audio_buffer.emptied" }));
  assert.throws(() => check({ ...CLEARED, event_id: 1 }));
});
