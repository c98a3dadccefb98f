import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Speaker } from "../../realtime_widget/static/realtime_widget/audio/speaker.js";
import { pcm16, tone } from "./audio-thread.js";
import { HandContext, installAudio, setGlobal } from "./page.js";

let context;
let positions;
let speaker;

beforeEach(async () => {
  installAudio();
  context = new HandContext();
  positions = [];
  speaker = new Speaker({
    workletUrl: "/audio.js",
    format: "pcm16",
    onPosition: (position) => positions.push(position),
  });
  await speaker.attach(context);
});

/** Give the speaker an answer in frames of 100 ms. */
function say(itemId, seconds) {
  speaker.start(itemId);
  for (let frame = 0; frame < seconds * 10; frame += 1) {
    speaker.push(pcm16(tone(440, 24_000, 0.1)));
  }
}

test("the sound goes to the loudspeaker and to the avatar's analyser", () => {
  const node = context.node("realtime-widget-playback");
  assert.deepEqual(context.modules, ["/audio.js"]);
  assert.equal(node.targets[0], speaker.analyser);
  assert.equal(node.targets[1].target, context.destination);
  assert.equal(speaker.analyser.fftSize, 256);
});

test("the end of an answer is told with its whole length", () => {
  context.outputLatency = 0.04;
  say("a", 0.5);
  speaker.end("a");
  context.play(600);
  assert.deepEqual(positions.at(-1), { itemId: "a", playedMs: 500, done: true });
});

test("what was heard lags what was played by the way to the ear", () => {
  context.outputLatency = 0.04;
  say("a", 2);
  context.play(1_000);
  const { itemId, playedMs, done } = positions.at(-1);
  assert.deepEqual([itemId, done], ["a", false]);
  assert.ok(playedMs > 895 && playedMs <= 960, `${playedMs}`);
  assert.equal(playedMs, Math.floor(playedMs));
});

test("Firefox is never asked for the way to the ear: it may stop for ever", async () => {
  setGlobal("navigator", { userAgent: "Mozilla/5.0 Gecko/20100101 Firefox/153.0" });
  Object.defineProperty(context, "outputLatency", {
    get: () => assert.fail("asked"),
  });
  say("a", 3);
  context.play(1_000);
  const heard = await speaker.interrupt();
  assert.deepEqual(heard, { itemId: "a", playedMs: 960 });
  assert.equal(speaker.stats.outputLatencyMs, 40);
});

test("nothing heard is never less than nothing", () => {
  context.outputLatency = 0.5;
  say("a", 2);
  context.play(100);
  assert.equal(positions[0].playedMs, 0);
});

test("an interruption tells exactly what was heard", async () => {
  context.outputLatency = 0.03;
  say("a", 3);
  context.play(1_000);
  const heard = await speaker.interrupt();
  assert.deepEqual(heard, { itemId: "a", playedMs: 970 });
});

test("audio that comes after an interruption is dropped until the next answer", async () => {
  say("a", 3);
  context.play(500);
  await speaker.interrupt();
  positions.length = 0;
  speaker.push(pcm16(tone(440, 24_000, 1)));
  speaker.end("a");
  context.play(1_000);
  assert.deepEqual(positions, []);
  say("b", 0.2);
  speaker.end("b");
  context.play(300);
  assert.deepEqual(positions.at(-1), { itemId: "b", playedMs: 200, done: true });
});

test("two interruptions at once are both answered", async () => {
  say("a", 3);
  context.play(500);
  const [first, second] = await Promise.all([speaker.interrupt(), speaker.interrupt()]);
  assert.equal(first.itemId, "a");
  assert.equal(second, null);
});

test("an interruption of silence was heard by nobody", async () => {
  assert.equal(await speaker.interrupt(), null);
});

test("the counters are there for tests and support", () => {
  context.outputLatency = 0.02;
  say("a", 0.1);
  context.play(300);
  const { playedMs, ...counters } = speaker.stats;
  // Until its end is told, half a filter of it (0.75 ms) waits for what follows.
  assert.ok(playedMs > 99 && playedMs <= 100);
  assert.deepEqual(counters, {
    itemId: "a",
    underruns: 1,
    contextRateHz: 48_000,
    outputLatencyMs: 20,
  });
});

test("closed, it is silent and answers whoever waits", async () => {
  say("a", 1);
  const node = context.node("realtime-widget-playback");
  speaker.close();
  assert.deepEqual(node.targets, []);
  assert.equal(await speaker.interrupt(), null);
  assert.equal(speaker.analyser, null);
});
