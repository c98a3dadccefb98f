import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import {
  Microphone,
  MicrophoneError,
} from "../../realtime_widget/static/realtime_widget/audio/microphone.js";
import { tone } from "./audio-thread.js";
import { HandContext, installAudio, setGlobal, settle } from "./page.js";

let ended;
let frames;

beforeEach(() => {
  ended = 0;
  frames = [];
});

function makeMicrophone() {
  return new Microphone({
    workletUrl: "/audio.js",
    format: "pcm16",
    frameMs: 40,
    onFrame: (frame, level) => frames.push({ frame, level }),
    onEnded: () => {
      ended += 1;
    },
  });
}

const refused = (code) => (error) =>
  error instanceof MicrophoneError && error.code === code;

for (const [fault, code] of [
  ["NotAllowedError", "mic_denied"],
  ["NotFoundError", "mic_missing"],
  ["OverconstrainedError", "mic_missing"],
  ["NotReadableError", "mic_busy"],
  ["AbortError", "mic_busy"],
  ["SecurityError", "mic_blocked_policy"],
  ["SomethingNewError", "unsupported"],
]) {
  test(`${fault} is explained as ${code}`, async () => {
    installAudio({ fault });
    await assert.rejects(makeMicrophone().open(), refused(code));
  });
}

test("a page whose policy forbids the microphone is not asked", async () => {
  const microphone = installAudio({ policy: false });
  await assert.rejects(makeMicrophone().open(), refused("mic_blocked_policy"));
  assert.deepEqual(microphone.asked, []);
});

test("a page that is not secure says so", async () => {
  installAudio();
  setGlobal("isSecureContext", false);
  await assert.rejects(makeMicrophone().open(), refused("insecure_context"));
});

test("a browser without microphones says so", async () => {
  installAudio();
  setGlobal("navigator", { userAgent: "Old" });
  await assert.rejects(makeMicrophone().open(), refused("unsupported"));
});

test("echo is cancelled", async () => {
  const device = installAudio();
  await makeMicrophone().open();
  assert.equal(device.asked[0].audio.echoCancellation, true);
  assert.equal(device.asked[0].audio.noiseSuppression, true);
  assert.equal(device.asked[0].audio.autoGainControl, true);
});

test("frames flow when it is attached", async () => {
  installAudio();
  const microphone = makeMicrophone();
  const context = new HandContext();
  await microphone.open();
  await microphone.attach(context);
  context.hear(tone(440, 48_000));
  assert.equal(frames.length, 25);
  assert.equal(microphone.capturedFrames, 25);
  assert.equal(frames[0].frame.byteLength, 1_920);
  assert.ok(frames.at(-1).level > 0.3);
});

test("muted before it opens, it opens muted", async () => {
  const device = installAudio();
  const microphone = makeMicrophone();
  microphone.muted = true;
  await microphone.open();
  assert.equal(device.streams[0].tracks[0].enabled, false);
  const context = new HandContext();
  await microphone.attach(context);
  context.hear(tone(440, 48_000, 3));
  assert.ok(frames.every(({ level }) => level === 0));
  microphone.muted = false;
  assert.equal(device.streams[0].tracks[0].enabled, true);
});

test("closed while the visitor is asked, it gives the device back", async () => {
  const device = installAudio();
  const microphone = makeMicrophone();
  const opening = microphone.open();
  microphone.close();
  await opening;
  assert.equal(device.streams[0].tracks[0].stopped, true);
});

test("closed, it gives the device back and its processor ends", async () => {
  const device = installAudio();
  const microphone = makeMicrophone();
  const context = new HandContext();
  await microphone.open();
  await microphone.attach(context);
  microphone.close();
  assert.equal(device.streams[0].tracks[0].stopped, true);
  const { processor } = context.node("realtime-widget-capture");
  assert.equal(processor.process([[]]), false);
});

test("an unplugged device is replaced by the one that is the default now", async () => {
  const device = installAudio();
  const microphone = makeMicrophone();
  const context = new HandContext();
  await microphone.open();
  await microphone.attach(context);
  device.streams[0].tracks[0].onended();
  await settle();
  assert.equal(device.streams.length, 2);
  assert.equal(ended, 0);
});

test("an unplugged device without another is told", async () => {
  const device = installAudio();
  const microphone = makeMicrophone();
  await microphone.open();
  device.fault = "NotFoundError";
  device.streams[0].tracks[0].onended();
  await settle();
  assert.equal(ended, 1);
});
