/** A whole call: the page's own parts, with a scripted server and audio run by hand. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import * as sound from "../../realtime_widget/static/realtime_widget/audio/sound.js";
import { Call } from "../../realtime_widget/static/realtime_widget/call.js";
import { pcm16, tone } from "./audio-thread.js";
import {
  HandContext,
  installAudio,
  installServer,
  ScriptedSocket,
  settle,
} from "./page.js";

const CONFIG = {
  sessionUrl: "/session",
  language: "en",
  worklets: { capture: "/audio.js", playback: "/audio.js" },
  audio: { format: "pcm16", frameMs: 40 },
};

let call;
let seen;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  installServer();
  installAudio();
  seen = {
    back: [],
    cuts: 0,
    failures: [],
    lines: [],
    messages: [],
    restored: [],
    resumable: [],
    started: 0,
    stopped: [],
  };
  const events = {
    onChange: () => {},
    onMessage: (message) => seen.messages.push(message),
    onLine: (line, isFinal) => seen.lines.push({ ...line, isFinal }),
    onStarted: () => {
      seen.started += 1;
    },
    onCut: () => {
      seen.cuts += 1;
    },
    onBack: (resumed) => seen.back.push(resumed),
    onRestored: () => seen.restored.push(call.transcript.lines.map(({ text }) => text)),
    onResumable: (left, isHeld) => seen.resumable.push({ left, isHeld }),
    onStopped: (detail) => seen.stopped.push(detail),
    onFailure: (failure) => seen.failures.push(failure),
  };
  call = new Call(CONFIG, events, async () => sound);
});

afterEach(() => mock.timers.reset());

const socket = () => ScriptedSocket.opened.at(-1);
const context = () => HandContext.opened.at(-1);

/** Start a call as far as the open socket. */
async function connecting(options = { textOnly: false }) {
  call.start(options);
  await settle();
  socket().accept();
  await settle();
}

/** Start a call until it listens. */
async function listening() {
  await connecting();
  socket().say("session.started", { session_id: "s1" });
  socket().say("state", { state: "listening" });
  context().hear(tone(440, 48_000, 0.1));
}

/** Let the server speak for so long. */
function speak(itemId, seconds) {
  socket().say("state", { state: "speaking" });
  socket().say("audio.start", { item_id: itemId, response_id: "r1" });
  for (let frame = 0; frame < seconds * 10; frame += 1) {
    socket().sendAudio(pcm16(tone(440, 24_000, 0.1)));
  }
}

test("the microphone comes first, then the context, then the socket", async () => {
  await connecting({ textOnly: false, variables: { order: "1042" } });
  assert.equal(HandContext.opened.length, 1);
  assert.deepEqual(context().options, { latencyHint: "interactive" });
  assert.deepEqual(socket().sent, [
    {
      type: "session.start",
      language: "en",
      text_only: false,
      variables: { order: "1042" },
    },
  ]);
});

test("the first words are kept until the session has started", async () => {
  await connecting();
  context().hear(tone(440, 48_000, 1));
  assert.deepEqual(socket().frames, []);
  socket().say("session.started", { session_id: "s1" });
  assert.equal(socket().frames.length, 25);
  context().hear(tone(440, 48_000, 0.2));
  assert.equal(socket().frames.length, 30);
  assert.equal(seen.started, 1);
});

test("of a very long wait only the last six seconds are kept", async () => {
  await connecting();
  context().hear(tone(440, 48_000, 8));
  socket().say("session.started");
  assert.equal(socket().frames.length, 150);
});

test("it listens after the first frame, the context and the server", async () => {
  await connecting();
  assert.equal(call.session.state, "connecting");
  socket().say("session.started");
  assert.equal(call.session.state, "connecting");
  context().hear(tone(440, 48_000, 0.1));
  assert.equal(call.session.state, "listening");
});

test("a context that may not run asks for a tap", async () => {
  installAudio({ state: "suspended" });
  const started = call.start({ textOnly: false });
  await settle();
  mock.timers.tick(5_000);
  await settle();
  socket().accept();
  await started;
  assert.equal(call.session.state, "needs-gesture");
  HandContext.initialState = "running";
  await call.unlock();
  assert.equal(call.session.needsGesture, false);
});

test("a session by text asks for no microphone", async () => {
  const device = installAudio();
  await connecting({ textOnly: true });
  assert.deepEqual(device.asked, []);
  assert.equal(socket().sent[0].text_only, true);
  socket().say("session.started");
  assert.equal(call.session.state, "listening");
});

for (const [fault, code] of [
  ["NotAllowedError", "mic_denied"],
  ["NotFoundError", "mic_missing"],
  ["NotReadableError", "mic_busy"],
]) {
  test(`${code} is told and the session goes on by text`, async () => {
    installAudio({ fault });
    await connecting();
    assert.equal(socket().sent[0].text_only, true);
    assert.deepEqual(seen.failures, [
      { code, words: "", retryable: false, fatal: false },
    ]);
    call.sendMessage("Hello", "user");
    socket().say("session.started");
    assert.deepEqual(socket().sent.at(-1), {
      type: "message",
      text: "Hello",
      role: "user",
    });
  });
}

test("a worklet that the page's policy refuses is told", async () => {
  const device = installAudio({ moduleFault: new DOMException("no", "AbortError") });
  await connecting();
  assert.equal(seen.failures[0].code, "csp_blocked");
  assert.equal(device.streams[0].tracks[0].stopped, true);
  assert.equal(context().state, "closed");
  assert.equal(socket().sent[0].text_only, true);
});

test("what is played is reported, every 250 ms and at its end", async () => {
  await listening();
  speak("a", 1);
  socket().say("audio.end", { item_id: "a" });
  let nowMs = 10_000;
  mock.method(performance, "now", () => nowMs);
  for (let step = 0; step < 21; step += 1) {
    context().play(52);
    nowMs += 52;
  }
  mock.restoreAll();
  const reports = socket().sent.filter(({ type }) => type === "playback");
  assert.ok(reports.length >= 4 && reports.length <= 6, `${reports.length}`);
  assert.deepEqual(reports.at(-1), {
    type: "playback",
    item_id: "a",
    played_ms: 1_000,
    done: true,
  });
});

test("it speaks until the last sample, whatever the server says", async () => {
  await listening();
  speak("a", 1);
  socket().say("audio.end", { item_id: "a" });
  context().play(500);
  socket().say("state", { state: "listening" });
  assert.equal(call.session.state, "speaking");
  context().play(600);
  assert.equal(call.session.state, "listening");
});

test("an interruption silences, and its answer says exactly what was heard", async () => {
  await listening();
  speak("a", 3);
  context().play(1_000);
  context().outputLatency = 0.03;
  socket().sent.length = 0;
  socket().say("transcript", { item_id: "a", role: "assistant", delta: "On Monday" });
  socket().say("audio.interrupted", { item_id: "a", heard_ms: 900 });
  await settle();
  assert.deepEqual(socket().sent, [
    { type: "playback", item_id: "a", played_ms: 970, done: true },
  ]);
  assert.equal(seen.lines.at(-1).interrupted, true);
  socket().sendAudio(pcm16(tone(440, 24_000, 0.1)));
  context().play(500);
  assert.equal(socket().sent.length, 1);
});

test("interrupt() silences first and tells the server then", async () => {
  await listening();
  speak("a", 3);
  context().play(512);
  socket().sent.length = 0;
  await call.interrupt();
  assert.deepEqual(socket().sent, [
    { type: "interrupt", item_id: "a", played_ms: 512 },
  ]);
});

test("muting is told, and holds before the start too", async () => {
  call.toggleMicrophone();
  assert.equal(call.session.muted, true);
  await connecting();
  socket().say("session.started");
  assert.deepEqual(socket().sent.at(-1), { type: "microphone", muted: true });
  context().hear(tone(440, 48_000, 3));
  assert.equal(call.level, 0);
  call.toggleMicrophone();
  assert.deepEqual(socket().sent.at(-1), { type: "microphone", muted: false });
});

test("stop tells the server, gives the devices back, and ends with its word", async () => {
  const device = installAudio();
  await listening();
  call.stop();
  assert.equal(socket().types.at(-1), "session.stop");
  assert.equal(device.streams[0].tracks[0].stopped, true);
  assert.equal(context().state, "closed");
  assert.equal(call.session.state, "idle");
  socket().say("session.stopped", { reason: "user", duration_s: 1 });
  assert.equal(seen.stopped.length, 1);
  assert.equal(seen.stopped[0].reason, "user");
  mock.timers.tick(10_000);
  assert.equal(seen.stopped.length, 1);
});

test("a server that says no goodbye is left", async () => {
  await listening();
  call.stop();
  mock.timers.tick(2_000);
  assert.equal(seen.stopped.length, 1);
  assert.equal(socket().closedWith, 1000);
});

test("a page that goes away does not wait", async () => {
  await listening();
  call.abandon(false);
  assert.equal(seen.stopped.length, 1);
});

test("stopped while the visitor is asked for the microphone, nothing goes on", async () => {
  const device = installAudio();
  const started = call.start({ textOnly: false });
  while (!device.asked.length) await Promise.resolve();
  call.stop();
  await started;
  await settle();
  assert.equal(device.streams[0].tracks[0].stopped, true);
  assert.deepEqual(ScriptedSocket.opened, []);
  assert.equal(call.session.state, "idle");
});

test("a button that is pressed again and again ends in one call", async () => {
  for (let press = 0; press < 5; press += 1) {
    call.start({ textOnly: false });
    await Promise.resolve();
    call.stop();
  }
  await listening();
  assert.equal(call.session.state, "listening");
  const alive = HandContext.opened.filter(({ state }) => state !== "closed");
  assert.equal(alive.length, 1);
});

test("started again at once, the old call's goodbye does not end the new one", async () => {
  await listening();
  const first = socket();
  call.stop();
  await listening();
  first.say("session.stopped", { reason: "user", duration_s: 1 });
  assert.equal(call.session.state, "listening");
  assert.equal(seen.started, 2);
  assert.equal(seen.stopped.length, 1);
});

for (const [code, error, reason] of [
  [1000, undefined, "user"],
  [4401, "token", "error"],
  [4403, "origin", "error"],
  [4404, "no_widget", "error"],
  [4408, "idle", "idle"],
  [4409, "replaced", "replaced"],
  [4410, "time_limit", "time_limit"],
  [4429, "limit", "quota"],
  [4500, "internal", "error"],
  [4502, "upstream_error", "upstream"],
]) {
  test(`closed with ${code}, it says why and gives the devices back`, async () => {
    const device = installAudio();
    await listening();
    socket().end(code);
    assert.equal(seen.failures.at(-1)?.code, error);
    assert.equal(seen.failures.at(-1)?.fatal, error && true);
    assert.equal(seen.stopped.at(-1).reason, reason);
    assert.equal(call.session.state, error ? "error" : "idle");
    mock.timers.tick(120_000);
    assert.equal(ScriptedSocket.opened.length, 1);
    assert.equal(device.streams[0].tracks[0].stopped, true);
  });
}

test("a close after an error does not cover the error's words", async () => {
  await listening();
  socket().say("error", {
    code: "upstream_auth",
    message: "Not now.",
    retryable: true,
    fatal: true,
  });
  socket().end(4502);
  assert.equal(seen.failures.length, 1);
  assert.equal(seen.failures[0].words, "Not now.");
  assert.equal(call.session.failure.code, "upstream_auth");
  assert.equal(seen.stopped.length, 1);
});

test("a refused session is told in the server's words and can be tried again", async () => {
  const body = { error: { code: "limit", message: "Too many.", retryable: true } };
  installServer({ ok: false, body });
  await call.start({ textOnly: true });
  assert.deepEqual(seen.failures, [
    { code: "limit", words: "Too many.", retryable: true, fatal: true },
  ]);
  assert.equal(call.session.state, "error");
  installServer();
  await connecting({ textOnly: true });
  socket().say("session.started");
  assert.equal(call.session.state, "listening");
});

test("words typed while it connects are sent when it has started, in order", async () => {
  call.sendMessage("one", "user");
  await connecting({ textOnly: true });
  call.sendMessage("two", "user");
  assert.deepEqual(socket().types, ["session.start"]);
  socket().say("session.started");
  const texts = socket()
    .sent.slice(1)
    .map(({ text }) => text);
  assert.deepEqual(texts, ["one", "two"]);
});

test("words that could not be sent go with the next try", async () => {
  installServer({ fails: true });
  call.sendMessage("one", "user");
  await call.start({ textOnly: true });
  assert.equal(call.session.state, "error");
  installServer();
  await connecting({ textOnly: true });
  socket().say("session.started");
  assert.equal(socket().sent.at(-1).text, "one");
});

test("the counters stay to be read after the call", async () => {
  await listening();
  speak("a", 0.5);
  socket().say("audio.end", { item_id: "a" });
  context().play(600);
  call.stop();
  const { capturedFrames, sentFrames, playedMs, itemId } = call.getStats();
  assert.deepEqual(
    { capturedFrames, sentFrames, playedMs, itemId },
    { capturedFrames: 2, sentFrames: 2, playedMs: 500, itemId: "a" },
  );
});

/** Start a call whose turns end by a key. */
async function byKey() {
  await connecting();
  context().hear(tone(440, 48_000, 0.2));
  socket().say("session.started", { session_id: "s1", turn_detection: "none" });
  socket().say("state", { state: "listening" });
}

test("by a key, nothing is sent before it is pressed, not even the first words", async () => {
  await byKey();
  context().hear(tone(440, 48_000, 0.2));
  assert.equal(socket().frames.length, 0);
  call.startTurn();
  await settle();
  context().hear(tone(440, 48_000, 0.2));
  assert.equal(call.held, true);
  assert.ok(socket().frames.length >= 4);
  call.commitTurn();
  context().hear(tone(440, 48_000, 0.1));
  assert.deepEqual(socket().types.slice(-2), ["turn.start", "turn.commit"]);
});

test("the key silences the answer at once and says what was heard", async () => {
  await byKey();
  speak("i1", 2);
  context().play(700);
  call.startTurn();
  await settle();
  const start = socket().sent.find(({ type }) => type === "turn.start");
  assert.equal(start.item_id, "i1");
  assert.ok(Math.abs(start.played_ms - 700) < 5, start.played_ms);
});

test("pressing the key unmutes the microphone", async () => {
  await byKey();
  call.toggleMicrophone();
  call.startTurn();
  await settle();
  assert.equal(call.session.muted, false);
});

test("where turns end by themselves, the key does nothing", async () => {
  await listening();
  await call.startTurn();
  call.commitTurn();
  call.cancelTurn();
  assert.ok(!socket().types.some((type) => type.startsWith("turn.")));
});

test("the way turns end can change while the call runs", async () => {
  await listening();
  call.update({ turn_detection: "none" });
  assert.deepEqual(socket().sent.at(-1), {
    type: "session.update",
    config: { turn_detection: "none" },
  });
  socket().say("session.updated", { config: { turn_detection: "none" } });
  const before = socket().frames.length;
  context().hear(tone(440, 48_000, 0.2));
  assert.equal(socket().frames.length, before);
  await call.startTurn();
  assert.equal(call.held, true);
  socket().say("session.updated", { config: { turn_detection: "server_vad" } });
  assert.equal(call.held, false);
  context().hear(tone(440, 48_000, 0.2));
  assert.ok(socket().frames.length > before);
});
