import assert from "node:assert/strict";
import { test } from "node:test";

import { BLOCK, Playback, signalToNoiseDb, tone } from "./audio-thread.js";

const isSound = (value) => value !== 0;

/** Return a playback in which an answer of so many seconds waits, complete. */
function withAnswer(seconds, options) {
  const playback = new Playback(options);
  playback.post("start", { itemId: "a" });
  playback.send(tone(440, 24_000, seconds));
  playback.post("end", { itemId: "a" });
  return playback;
}

test("nothing sounds before 60 ms are there", () => {
  const playback = new Playback();
  playback.post("start", { itemId: "a" });
  playback.send(tone(440, 24_000, 0.04));
  playback.run(100);
  assert.equal(playback.heard.some(isSound), false);
  playback.send(tone(440, 24_000, 0.04));
  playback.run(20);
  assert.equal(playback.heard.some(isSound), true);
});

test("an answer shorter than that sounds when it is complete", () => {
  const playback = withAnswer(0.04);
  playback.run(60);
  assert.equal(playback.heard.some(isSound), true);
  assert.deepEqual(playback.posts("position").at(-1), {
    type: "position",
    itemId: "a",
    playedMs: 40,
    done: true,
  });
});

for (const rateHz of [48_000, 44_100, 96_000, 16_000]) {
  test(`an answer is played to its last sample, at ${rateHz} Hz`, () => {
    const playback = withAnswer(1, { rateHz });
    playback.run(1_100);
    const { playedMs, done } = playback.posts("position").at(-1);
    assert.equal(done, true);
    assert.ok(Math.abs(playedMs - 1_000) < 0.1, `${playedMs} ms`);
  });

  test(`a tone in frames of any length comes out whole, at ${rateHz} Hz`, () => {
    const playback = new Playback({ rateHz });
    const samples = tone(440, 24_000);
    playback.post("start", { itemId: "a" });
    let at = 0;
    for (const frameMs of [20, 100, 60, 33, 100, 87, 100, 100, 100, 100, 100, 100]) {
      playback.send(samples.subarray(at, at + frameMs * 24), frameMs);
      at += frameMs * 24;
    }
    playback.post("end", { itemId: "a" });
    playback.run(1_000);
    assert.ok(signalToNoiseDb(playback.heard, 440, rateHz) > 70);
  });
}

test("the position is told about every 50 ms", () => {
  const playback = withAnswer(1);
  playback.run(990);
  const positions = playback.posts("position").map(({ playedMs }) => playedMs);
  assert.ok(positions.length >= 18 && positions.length <= 20, `${positions.length}`);
  positions.slice(1).forEach((playedMs, index) => {
    const step = playedMs - positions[index];
    assert.ok(step >= 50 && step < 54, `${step} ms`);
  });
});

test("an interruption tells exactly what was played until then", () => {
  const playback = withAnswer(3);
  playback.run(1_000);
  const played = playback.heard.length;
  playback.post("flush");
  assert.deepEqual(playback.posts("flushed"), [
    { type: "flushed", itemId: "a", playedMs: (played * 1_000) / 48_000 },
  ]);
});

test("an interruption fades for 5 ms and is silent then", () => {
  const playback = withAnswer(3);
  playback.run(1_000);
  const before = playback.heard.length;
  playback.post("flush");
  playback.run(200);
  const after = playback.heard.slice(before);
  const fade = after.slice(0, 240);
  assert.ok(Math.max(...fade.slice(0, 110)) > 0.2, "the fade begins with sound");
  assert.ok(Math.max(...fade.slice(200).map(Math.abs)) < 0.1, "and ends in silence");
  // No click: no step is larger than the tone's own.
  const joined = playback.heard.slice(before - 1, before + 241);
  const steepest = (2 * Math.PI * 440 * 0.5) / 48_000;
  joined.slice(1).forEach((value, index) => {
    assert.ok(Math.abs(value - joined[index]) < steepest * 1.2);
  });
  assert.equal(after.slice(240).some(isSound), false);
});

test("what waited behind an interruption is never heard", () => {
  const playback = withAnswer(3);
  playback.post("start", { itemId: "b" });
  playback.send(tone(880, 24_000));
  playback.run(500);
  playback.post("flush");
  playback.run(10);
  const before = playback.heard.length;
  playback.send(tone(880, 24_000));
  playback.post("end", { itemId: "b" });
  playback.run(500);
  assert.equal(playback.heard.slice(before).some(isSound), false);
});

test("an interruption of silence names no item", () => {
  const playback = new Playback();
  playback.post("flush");
  assert.deepEqual(playback.posts("flushed"), [
    { type: "flushed", itemId: "", playedMs: 0 },
  ]);
});

test("the next answer sounds after an interruption, with a counter of its own", () => {
  const playback = withAnswer(3);
  playback.run(500);
  playback.post("flush");
  playback.post("start", { itemId: "b" });
  playback.send(tone(440, 24_000, 0.5));
  playback.post("end", { itemId: "b" });
  playback.run(600);
  const last = playback.posts("position").at(-1);
  assert.equal(last.itemId, "b");
  assert.ok(Math.abs(last.playedMs - 500) < 0.1);
  assert.equal(last.done, true);
});

test("two answers sound one after the other, each with its own end", () => {
  const playback = withAnswer(0.3);
  playback.post("start", { itemId: "b" });
  playback.send(tone(440, 24_000, 0.2));
  playback.post("end", { itemId: "b" });
  playback.run(700);
  const ends = playback.posts("position").filter(({ done }) => done);
  assert.deepEqual(
    ends.map(({ itemId, playedMs }) => [itemId, Math.round(playedMs)]),
    [
      ["a", 300],
      ["b", 200],
    ],
  );
});

test("an answer that runs dry is counted, and waits for 60 ms again", () => {
  const playback = new Playback();
  playback.post("start", { itemId: "a" });
  playback.send(tone(440, 24_000, 0.1));
  playback.run(200);
  assert.deepEqual(playback.posts("underrun"), [{ type: "underrun", count: 1 }]);
  const before = playback.heard.length;
  playback.send(tone(440, 24_000, 0.04));
  playback.run(50);
  assert.equal(playback.heard.slice(before).some(isSound), false);
  playback.send(tone(440, 24_000, 0.04));
  playback.post("end", { itemId: "a" });
  playback.run(120);
  assert.equal(playback.heard.slice(before).some(isSound), true);
  const last = playback.posts("position").at(-1);
  assert.equal(last.done, true);
  assert.ok(Math.abs(last.playedMs - 180) < 0.1, `${last.playedMs} ms`);
  assert.equal(playback.posts("underrun").length, 1);
});

test("an end without audio is an end", () => {
  const playback = withAnswer(0);
  playback.run(10);
  const { itemId, playedMs, done } = playback.posts("position").at(-1);
  assert.deepEqual([itemId, playedMs, done], ["a", 0, true]);
});

test("every channel of the output has the sound", () => {
  const playback = withAnswer(1);
  const channels = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
  playback.processor.process([], [channels]);
  assert.ok(channels[0].some(isSound));
  assert.deepEqual(channels[0], channels[1]);
});

/** Let an answer of 100 ms run dry in the middle, and end it. */
function stumble(playback, itemId) {
  playback.post("start", { itemId });
  playback.send(tone(440, 24_000, 1));
  playback.run(1_200);
  playback.send(tone(440, 24_000, 1));
  playback.post("end", { itemId });
  playback.run(1_200);
}

/** Return how much has to be there before the next answer sounds. */
function inHandMs(playback) {
  playback.post("start", { itemId: "probe" });
  let waitingMs = 0;
  for (;;) {
    const before = playback.heard.length;
    playback.send(tone(440, 24_000, 0.01));
    waitingMs += 10;
    playback.run(6);
    if (playback.heard.slice(before).some(isSound)) break;
  }
  playback.post("end", { itemId: "probe" });
  playback.run(waitingMs + 50);
  return waitingMs;
}

test("a network that fails to keep up is given twice as much in hand, up to 480 ms", () => {
  const playback = new Playback();
  stumble(playback, "a");
  assert.ok(Math.abs(inHandMs(playback) - 120) <= 10);
  for (const itemId of ["b", "c", "d", "e", "f"]) stumble(playback, itemId);
  assert.ok(Math.abs(inHandMs(playback) - 480) <= 10);
});

test("answers without a gap bring it back to 60 ms", () => {
  const playback = new Playback();
  stumble(playback, "a");
  stumble(playback, "b");
  assert.ok(Math.abs(inHandMs(playback) - 240) <= 10);
  assert.ok(Math.abs(inHandMs(playback) - 120) <= 10);
  assert.ok(Math.abs(inHandMs(playback) - 60) <= 10);
  assert.ok(Math.abs(inHandMs(playback) - 60) <= 10);
});
