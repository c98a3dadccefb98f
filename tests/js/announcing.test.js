/** What a page hears of a conversation. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventsOf } from "../../realtime_widget/static/realtime_widget/announcing.js";
import { clock } from "../../realtime_widget/static/realtime_widget/views/time-left.js";

const LINE = { itemId: "i1", role: "assistant", text: "From nine", final: false };

test("words that come are an update of their item", () => {
  const message = { type: "transcript", item_id: "i1", delta: " nine", final: false };
  const item = {
    item_id: "i1",
    role: "assistant",
    text: "From nine",
    completed: false,
  };
  assert.deepEqual(eventsOf(message, [LINE]), [
    ["conversation.updated", { item, delta: " nine" }],
  ]);
});

test("the last words complete their item", () => {
  const message = { type: "transcript", item_id: "i1", text: "From nine", final: true };
  const names = eventsOf(message, [{ ...LINE, final: true }]).map(([name]) => name);
  assert.deepEqual(names, ["conversation.updated", "conversation.item.completed"]);
});

test("a visitor who begins to speak interrupts", () => {
  assert.deepEqual(eventsOf({ type: "speech.started", at_ms: 40 }, []), [
    ["conversation.interrupted", { at_ms: 40 }],
  ]);
});

test("tools, handoffs and warnings keep their fields", () => {
  const finished = {
    type: "tool.finished",
    call_id: "c",
    name: "n",
    status: "completed",
  };
  assert.deepEqual(eventsOf(finished, []), [["realtime-widget:tool", finished]]);
  const warning = { type: "warning", code: "idle", left_s: 20 };
  assert.deepEqual(eventsOf(warning, []), [["realtime-widget:warning", warning]]);
  const started = { type: "tool.started", call_id: "c", name: "n" };
  assert.deepEqual(eventsOf(started, []), [
    ["realtime-widget:tool", { ...started, status: "started" }],
  ]);
});

test("what is nobody's business is no event", () => {
  assert.deepEqual(eventsOf({ type: "audio.start", item_id: "i1" }, []), []);
  assert.deepEqual(eventsOf({ type: "transcript", item_id: "gone" }, [LINE]), []);
});

test("seconds are told as a clock", () => {
  assert.equal(clock(20), "0:20");
  assert.equal(clock(61.2), "1:02");
  assert.equal(clock(-3), "0:00");
});
