/** G.711: the values of the standard, and both directions against each other. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Capture, Playback } from "./audio-thread.js";

const CONTEXT = { rateHz: 8_000 };

/** 16-bit sample -> code of mu-law, of A-law. */
const CODES = [
  [0, 0xff, 0xd5],
  [8, 0xfe, 0xd5],
  [-8, 0x7e, 0x55],
  [100, 0xf2, 0xd3],
  [-100, 0x72, 0x53],
  [1_000, 0xce, 0xfa],
  [-1_000, 0x4e, 0x7a],
  [4_000, 0xaf, 0x9a],
  [12_345, 0x97, 0xbd],
  [-12_345, 0x17, 0x3d],
  [32_767, 0x80, 0xaa],
  [-32_767, 0x00, 0x2a],
];

/** Code -> 16-bit sample of mu-law, of A-law. */
const SAMPLES = [
  [0x00, -32_124, -5_504],
  [0x2a, -5_372, -32_256],
  [0x55, -716, -8],
  [0x7f, 0, -848],
  [0x80, 32_124, 5_504],
  [0xaa, 5_372, 32_256],
  [0xce, 988, 440],
  [0xd5, 716, 8],
  [0xff, 0, 848],
  [0x12, -14_972, -3_008],
  [0xf3, 96, 720],
];

/** Return the codes of 16-bit samples. */
function encode(format, samples) {
  const frames = Math.ceil(samples.length / 320) * 320;
  const input = new Float32Array(Math.ceil(frames / 128) * 128);
  samples.forEach((sample, index) => {
    input[index] = sample / 32_767;
  });
  const capture = new Capture({ ...CONTEXT, format });
  capture.hear(input);
  return capture.bytes.slice(0, samples.length);
}

/** Return the 16-bit samples of codes. */
function decode(format, codes) {
  const playback = new Playback({ ...CONTEXT, format });
  playback.post("start", { itemId: "a" });
  playback.post("audio", { buffer: Uint8Array.from(codes).buffer });
  playback.post("end", { itemId: "a" });
  playback.run((codes.length / 8_000) * 1_000 + 32);
  return playback.heard.slice(0, codes.length).map((value) => value * 32_768 + 0);
}

for (const [format, column] of [
  ["pcmu", 1],
  ["pcma", 2],
]) {
  test(`${format}: samples get the codes of the standard`, () => {
    const samples = CODES.map((row) => row[0]);
    assert.deepEqual(
      encode(format, samples),
      CODES.map((row) => row[column]),
    );
  });

  test(`${format}: codes get the samples of the standard`, () => {
    const codes = SAMPLES.map((row) => row[0]);
    assert.deepEqual(
      decode(format, codes),
      SAMPLES.map((row) => row[column]),
    );
  });

  test(`${format}: every code comes back through both directions`, () => {
    const codes = Array.from({ length: 256 }, (_, code) => code);
    const back = encode(format, decode(format, codes));
    // Mu-law has two zeros; the positive one is sent.
    const wanted = codes.map((code) =>
      format === "pcmu" && code === 0x7f ? 0xff : code,
    );
    assert.deepEqual(back, wanted);
  });

  test(`${format}: no sample is further off than half a step`, () => {
    const samples = Array.from({ length: 4_096 }, (_, index) => index * 16 - 32_760);
    const back = decode(format, encode(format, samples));
    samples.forEach((sample, index) => {
      // A step is a sixteenth of its segment, and at the ends the range is clipped.
      const halfStep = Math.max(8, Math.abs(sample) / 31, Math.abs(sample) - 32_124);
      assert.ok(
        Math.abs(back[index] - sample) <= halfStep,
        `${sample} -> ${back[index]}`,
      );
    });
  });
}

test("at 48 kHz a frame of 40 ms has 320 bytes", () => {
  const capture = new Capture({ rateHz: 48_000, format: "pcmu" });
  capture.hear(new Float32Array(48_000));
  assert.equal(capture.frames.length, 25);
  assert.ok(capture.frames.every(({ buffer }) => buffer.byteLength === 320));
});
