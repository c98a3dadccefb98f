/** Phones: the screen that stays on, the context that a phone call leaves behind. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Sound } from "../../realtime_widget/static/realtime_widget/audio/sound.js";
import { tone } from "./audio-thread.js";
import { HandContext, installAudio, settle } from "./page.js";

const CONFIG = {
  worklets: { capture: "/audio.js", playback: "/audio.js" },
  audio: { format: "pcm16", frameMs: 40 },
};

let frames;
let locks;
let sound;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  installAudio();
  frames = 0;
  locks = [];
  navigator.wakeLock = {
    request: async (kind) => {
      const lock = { kind, released: false };
      lock.release = async () => {
        lock.released = true;
      };
      locks.push(lock);
      return lock;
    },
  };
});

afterEach(() => mock.timers.reset());

/** Open the sound of a call. */
async function opened() {
  const events = {
    onFrame: () => {
      frames += 1;
    },
    onPosition: () => {},
    onMicrophoneLost: () => {},
    onContextChange: () => {},
  };
  sound = new Sound(CONFIG, events, { microphone: "", speaker: "", volume: 1 });
  await sound.open();
  await settle();
}

/** The page is hidden, or seen again. */
async function become(visibility) {
  document.visibilityState = visibility;
  document.dispatchEvent(new Event("visibilitychange"));
  await settle();
}

const context = () => HandContext.opened.at(-1);

test("the screen stays on while somebody talks, and no longer", async () => {
  await opened();
  assert.deepEqual(
    locks.map(({ kind, released }) => [kind, released]),
    [["screen", false]],
  );
  sound.close();
  assert.equal(locks[0].released, true);
  await become("visible");
  assert.equal(locks.length, 1);
});

test("a page that was hidden asks for it anew", async () => {
  await opened();
  await become("hidden");
  assert.equal(locks.length, 1);
  await become("visible");
  assert.equal(locks.length, 2);
});

test("a battery that refuses stops no call", async () => {
  navigator.wakeLock.request = async () => {
    throw new DOMException("no", "NotAllowedError");
  };
  await opened();
  context().hear(tone(440, 48_000, 0.1));
  assert.equal(frames, 2);
});

test("while a phone call holds the audio nothing is resumed", async () => {
  await opened();
  context().state = "interrupted";
  context().resume = async () => {
    throw new DOMException("no", "InvalidStateError");
  };
  assert.equal(sound.blocked, true);
  await sound.unlock();
});

test("a context that runs after the tap is kept", async () => {
  await opened();
  context().state = "suspended";
  context().currentTime = 5;
  await sound.unlock();
  context().currentTime = 6;
  mock.timers.tick(1_000);
  await settle();
  assert.equal(HandContext.opened.length, 1);
});

test("one that only says so is replaced, and the talk goes on", async () => {
  await opened();
  const frozen = context();
  frozen.state = "suspended";
  frozen.currentTime = 5;
  await sound.unlock();
  assert.equal(frozen.state, "running");
  mock.timers.tick(1_000);
  await settle();
  assert.equal(HandContext.opened.length, 2);
  assert.equal(frozen.state, "closed");
  context().hear(tone(440, 48_000, 0.2));
  assert.equal(frames, 5);
  assert.equal(sound.blocked, false);
});

test("a call that ended meanwhile gets no other", async () => {
  await opened();
  context().state = "suspended";
  await sound.unlock();
  sound.close();
  mock.timers.tick(1_000);
  await settle();
  assert.equal(HandContext.opened.length, 1);
});
