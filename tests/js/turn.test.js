/** The visitor's turn by a key, alone: what is sent, in which order. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Turn } from "../../realtime_widget/static/realtime_widget/turn.js";
import { settle } from "./page.js";

let log;
let turn;
let answerSilence;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  log = [];
  turn = new Turn({
    silence: () =>
      new Promise((resolve) => {
        answerSilence = resolve;
      }),
    send: (message) => log.push(message),
    sendAudio: (frame) => log.push(frame),
    onChange: () => {},
  });
});

afterEach(() => mock.timers.reset());

/** Press the key and let the answer fall silent. */
async function pressed(heard = null) {
  turn.start();
  answerSilence(heard);
  await settle();
}

test("a turn has the frames from the press to the one the key was let go in", async () => {
  turn.take("before");
  turn.start();
  turn.take("first");
  answerSilence(null);
  await settle();
  turn.take("second");
  turn.commit();
  turn.take("last");
  turn.take("after");
  const commit = { type: "turn.commit" };
  assert.deepEqual(log, [{ type: "turn.start" }, "first", "second", "last", commit]);
});

test("the server learns what was heard of the answer", async () => {
  await pressed({ itemId: "i1", playedMs: 420 });
  assert.deepEqual(log, [{ type: "turn.start", item_id: "i1", played_ms: 420 }]);
});

test("a key that is let go before the silence still ends its turn", async () => {
  turn.start();
  turn.take("first");
  turn.commit();
  assert.equal(turn.held, false);
  answerSilence(null);
  await settle();
  assert.deepEqual(log, [{ type: "turn.start" }, "first"]);
  mock.timers.tick(250);
  assert.deepEqual(log.at(-1), { type: "turn.commit" });
});

test("without another frame the turn ends by itself, once", async () => {
  await pressed();
  turn.commit();
  mock.timers.tick(250);
  turn.take("late");
  turn.commit();
  mock.timers.tick(1_000);
  assert.deepEqual(log, [{ type: "turn.start" }, { type: "turn.commit" }]);
});

test("a cancelled turn is told, one the server never heard of is not", async () => {
  await pressed();
  turn.cancel();
  assert.deepEqual(log, [{ type: "turn.start" }, { type: "turn.cancel" }]);
  turn.start();
  turn.cancel();
  answerSilence(null);
  await settle();
  turn.cancel();
  assert.equal(log.length, 2);
});

test("the next press ends a turn that waits for its last frame", async () => {
  await pressed();
  turn.commit();
  await pressed();
  turn.take("second");
  const types = log.map((entry) => entry.type ?? entry);
  assert.deepEqual(types, ["turn.start", "turn.commit", "turn.start", "second"]);
});

test("holding repeats nothing; the end of the call forgets the turn", async () => {
  await pressed();
  await turn.start();
  turn.reset();
  turn.take("late");
  turn.commit();
  mock.timers.tick(1_000);
  assert.deepEqual(log, [{ type: "turn.start" }]);
});
