import assert from "node:assert/strict";
import { test } from "node:test";

import { Capture, powerDb, signalToNoiseDb, tone } from "./audio-thread.js";

for (const rateHz of [48_000, 44_100, 96_000, 16_000, 24_000]) {
  const highestHz = rateHz === 16_000 ? 6_000 : 9_000;
  for (const hz of [440, highestHz]) {
    test(`a tone of ${hz} Hz at ${rateHz} Hz reaches the wire clean`, () => {
      const capture = new Capture({ rateHz });
      capture.hear(tone(hz, rateHz));
      assert.ok(signalToNoiseDb(capture.samples, hz, 24_000) > 70);
    });
  }
}

for (const rateHz of [48_000, 44_100, 96_000]) {
  test(`what 24 kHz cannot hold leaves no trace, from ${rateHz} Hz`, () => {
    const capture = new Capture({ rateHz });
    capture.hear(tone(15_000, rateHz));
    assert.ok(powerDb(capture.samples) < powerDb(tone(15_000, rateHz)) - 60);
  });
}

test("a tone keeps its loudness", () => {
  const capture = new Capture();
  capture.hear(tone(1_000, 48_000));
  const lost = powerDb(tone(1_000, 48_000)) - powerDb(capture.samples);
  assert.ok(Math.abs(lost) < 0.05, `${lost} dB`);
});

test("frames have the wire's length and none is missing", () => {
  const capture = new Capture({ frameMs: 40 });
  capture.hear(tone(440, 48_000, 2));
  assert.equal(capture.frames.length, 50);
  for (const { buffer } of capture.frames) assert.equal(buffer.byteLength, 24 * 40 * 2);
});

test("the level of a frame is its loudness", () => {
  const capture = new Capture();
  capture.hear(tone(1_000, 48_000));
  const { level } = capture.frames.at(-1);
  assert.ok(Math.abs(level - 0.5 / Math.SQRT2) < 0.001);
});

test("channels are mixed into one", () => {
  const capture = new Capture();
  const left = tone(1_000, 48_000);
  capture.hear(
    left,
    left.map((value) => -value),
  );
  assert.ok(capture.samples.every((value) => Math.abs(value) < 1e-4));
});

test("a sample beyond the full scale is clipped, it does not wrap", () => {
  const capture = new Capture({ rateHz: 24_000 });
  capture.hear(new Float32Array(24_000).fill(1.5));
  assert.ok(capture.samples.every((value) => value > 0.99));
});

test("an input without channels is waited for", () => {
  const capture = new Capture();
  assert.equal(capture.processor.process([[]]), true);
  assert.deepEqual(capture.frames, []);
});

test("muting sends a second and a half of silence, then nothing", () => {
  const capture = new Capture();
  capture.hear(tone(440, 48_000));
  const before = capture.frames.length;
  capture.port.postMessage({ type: "muted", value: true });
  capture.hear(tone(440, 48_000, 4));
  const silence = capture.frames.slice(before);
  assert.equal(silence.length, Math.ceil(1_500 / 40));
  // The first one may hold the last of what was said.
  for (const { buffer } of silence.slice(1)) {
    assert.ok(new Int16Array(buffer).every((value) => value === 0));
  }
});

test("unmuting lets sound through again", () => {
  const capture = new Capture();
  capture.port.postMessage({ type: "muted", value: true });
  capture.hear(tone(440, 48_000, 3));
  const before = capture.frames.length;
  capture.port.postMessage({ type: "muted", value: false });
  capture.hear(tone(440, 48_000, 1));
  assert.ok(capture.frames.length >= before + 24);
  assert.ok(capture.frames.at(-1).level > 0.3);
});

test("a closed processor may be forgotten by the browser", () => {
  const capture = new Capture();
  capture.port.postMessage({ type: "close" });
  assert.equal(capture.processor.process([[new Float32Array(128)]]), false);
});
