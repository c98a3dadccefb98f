import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { EchoGuard } from "../../realtime_widget/static/realtime_widget/audio/echo-guard.js";

const QUIET = 0.01;
const VOICE = 0.1;

let guard;
let passed;

/** Make a guard for frames of 40 ms. */
function makeGuard(format = "pcm16") {
  passed = [];
  guard = new EchoGuard({ format, frameMs: 40 }, (frame, level) =>
    passed.push({ bytes: [...new Uint8Array(frame)], level }),
  );
}

beforeEach(() => makeGuard());

/** Give so many frames of a loudness, each numbered by its byte. */
function give(count, level) {
  for (let number = 1; number <= count; number += 1) {
    guard.take(new Uint8Array([number]).buffer, level);
  }
}

const bytes = () => passed.flatMap((one) => one.bytes);

test("while nothing sounds every frame passes at once", () => {
  give(3, QUIET);
  give(2, VOICE);
  assert.deepEqual(bytes(), [1, 2, 3, 1, 2]);
});

test("a burst of echo goes out as silence, and no frame is missing", () => {
  guard.sounds = true;
  give(2, VOICE);
  give(10, QUIET);
  assert.equal(passed.length, 9);
  assert.ok(bytes().every((value) => value === 0));
  assert.ok(passed.every(({ level }) => level === 0));
});

test("a voice that lasts is passed on from its first frame", () => {
  guard.sounds = true;
  give(4, QUIET);
  passed.length = 0;
  give(5, VOICE);
  assert.deepEqual(bytes().slice(-5), [1, 2, 3, 4, 5]);
});

test("a pause between words does not shut a voice out", () => {
  guard.sounds = true;
  give(3, VOICE);
  passed.length = 0;
  give(5, QUIET);
  assert.deepEqual(bytes(), [1, 2, 3, 4, 5]);
  give(10, QUIET);
  passed.length = 0;
  give(5, QUIET);
  assert.ok(bytes().every((value) => value === 0));
});

test("the room's own sound is kept out for 300 ms after the answer", () => {
  guard.sounds = true;
  give(4, QUIET);
  guard.sounds = false;
  passed.length = 0;
  give(7, QUIET);
  assert.ok(bytes().every((value) => value === 0));
  passed.length = 0;
  give(4, QUIET);
  assert.deepEqual(bytes().slice(-4), [1, 2, 3, 4]);
});

for (const [format, silence] of [
  ["pcmu", 0xff],
  ["pcma", 0xd5],
]) {
  test(`silence is what ${format} says it is`, () => {
    makeGuard(format);
    guard.sounds = true;
    give(6, QUIET);
    assert.deepEqual(bytes(), [silence, silence, silence]);
  });
}
