/** The microphone and the speaker that a visitor chooses, and those that come and go. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { listDevices } from "../../realtime_widget/static/realtime_widget/audio/devices.js";
import { Sound } from "../../realtime_widget/static/realtime_widget/audio/sound.js";
import { tone } from "./audio-thread.js";
import { HandContext, installAudio, settle } from "./page.js";

const CONFIG = {
  worklets: { capture: "/audio.js", playback: "/audio.js" },
  audio: { format: "pcm16", frameMs: 40 },
};
const NONE = { microphone: "", speaker: "", volume: 1 };

let machine;
let frames;
let lost;

beforeEach(() => {
  machine = installAudio();
  frames = 0;
  lost = 0;
});

const device = (kind, deviceId, label = deviceId) => ({ kind, deviceId, label });

/** Open the sound of a call. */
async function opened(choices = NONE) {
  const sound = new Sound(
    CONFIG,
    {
      onFrame: () => {
        frames += 1;
      },
      onPosition: () => {},
      onMicrophoneLost: () => {
        lost += 1;
      },
      onContextChange: () => {},
    },
    choices,
  );
  await sound.open();
  return sound;
}

const context = () => HandContext.opened.at(-1);
const gain = () => context().node("realtime-widget-playback").targets[1].gain;

/** Devices come or go. */
async function plugged(...devices) {
  machine.devices = devices;
  navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
  await settle();
}

/** The device in use is unplugged. */
async function unplugged() {
  machine.streams.at(-1).tracks[0].onended();
  await settle();
}

test("the list names each device once, not the system's choice of it", async () => {
  machine.devices = [
    device("audioinput", "default", "Default"),
    device("audioinput", "m1", "Headset"),
    device("audiooutput", "s1", "Speakers"),
    device("videoinput", "v1"),
  ];
  assert.deepEqual(await listDevices(), {
    microphones: [{ id: "m1", label: "Headset" }],
    speakers: [{ id: "s1", label: "Speakers" }],
  });
});

test("where browsers do not let a page choose its speaker there is none to choose", async () => {
  machine.devices = [device("audiooutput", "s1")];
  const { setSinkId } = HandContext.prototype;
  delete HandContext.prototype.setSinkId;
  assert.deepEqual((await listDevices()).speakers, []);
  HandContext.prototype.setSinkId = setSinkId;
});

test("a call opens with what was chosen", async () => {
  await opened({ microphone: "m1", speaker: "s1", volume: 0.3 });
  assert.deepEqual(machine.asked[0].audio.deviceId, { ideal: "m1" });
  assert.equal(context().sinkId, "s1");
  assert.equal(gain().value, 0.3);
});

test("without a choice the system's own are used", async () => {
  await opened();
  assert.equal("deviceId" in machine.asked[0].audio, false);
  assert.equal(context().sinkId, "");
});

test("another microphone takes over, and the first is given back", async () => {
  const sound = await opened();
  await sound.choose({ ...NONE, microphone: "m2" });
  assert.deepEqual(machine.asked[1].audio.deviceId, { ideal: "m2" });
  assert.equal(machine.streams[0].tracks[0].stopped, true);
  assert.equal(machine.streams[1].tracks[0].stopped, false);
  context().hear(tone(440, 48_000, 0.1));
  assert.equal(frames, 2);
});

test("a microphone that cannot be opened leaves the one that is used", async () => {
  const sound = await opened();
  machine.fault = "NotReadableError";
  await assert.rejects(sound.choose({ ...NONE, microphone: "m2" }), {
    code: "mic_busy",
  });
  assert.equal(machine.streams[0].tracks[0].stopped, false);
});

test("muted stays muted on another microphone", async () => {
  const sound = await opened();
  sound.muted = true;
  await sound.choose({ ...NONE, microphone: "m2" });
  assert.equal(machine.streams[1].tracks[0].enabled, false);
});

test("speaker and volume change at once, without another microphone", async () => {
  const sound = await opened();
  await sound.choose({ microphone: "", speaker: "s2", volume: 0 });
  assert.equal(context().sinkId, "s2");
  assert.equal(gain().value, 0);
  assert.equal(machine.asked.length, 1);
});

test("the chosen headset is used again once it is back", async () => {
  await opened({ ...NONE, microphone: "m1" });
  await unplugged();
  assert.equal(machine.streams.length, 2);
  await plugged(device("audioinput", "builtin"));
  assert.equal(machine.streams.length, 2);
  await plugged(device("audioinput", "builtin"), device("audioinput", "m1"));
  assert.equal(machine.streams.length, 3);
  assert.equal(machine.streams[1].tracks[0].stopped, true);
});

test("after the last microphone has gone, the next one is taken", async () => {
  await opened();
  machine.fault = "NotFoundError";
  await unplugged();
  assert.equal(lost, 1);
  await plugged();
  assert.equal(machine.streams.length, 1);
  machine.fault = undefined;
  await plugged(device("audioinput", "m9"));
  assert.equal(machine.streams.length, 2);
});

test("a call that is over follows no devices", async () => {
  const sound = await opened({ ...NONE, microphone: "m1" });
  sound.close();
  await plugged(device("audioinput", "m1"));
  assert.equal(machine.asked.length, 1);
});
