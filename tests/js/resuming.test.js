/** A call whose connection breaks: what is kept, what is sent again, what ends. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import * as sound from "../../realtime_widget/static/realtime_widget/audio/sound.js";
import { Call } from "../../realtime_widget/static/realtime_widget/call.js";
import { VERSION } from "../../realtime_widget/static/realtime_widget/protocol.js";
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
let nowMs;
let requests;
let seen;
/** How many sessions the server has begun. */
let sessions;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  nowMs = 1_000;
  mock.method(performance, "now", () => nowMs);
  mock.method(Math, "random", () => 1);
  requests = installServer();
  installAudio();
  sessions = 0;
  seen = { back: [], cuts: 0, failures: [], resumable: [], started: 0, stopped: [] };
  const events = {
    onChange: () => {},
    onMessage: () => {},
    onLine: () => {},
    onStarted: () => {
      seen.started += 1;
    },
    onCut: () => {
      seen.cuts += 1;
    },
    onBack: (resumed) => seen.back.push(resumed),
    onRestored: () => {},
    onResumable: (left, isHeld) => seen.resumable.push({ left, isHeld }),
    onStopped: (detail) => seen.stopped.push(detail),
    onFailure: (failure) => seen.failures.push(failure),
  };
  call = new Call(CONFIG, events, async () => sound);
});

afterEach(() => {
  call.abandon(false);
  mock.timers.reset();
  mock.restoreAll();
});

const socket = () => ScriptedSocket.opened.at(-1);
const context = () => HandContext.opened.at(-1);
const lines = () => call.transcript.lines.map(({ role, text }) => `${role}: ${text}`);
const texts = () => socket().sent.flatMap(({ text }) => text ?? []);
const hear = (seconds) => context().hear(tone(440, 48_000, seconds));

/** Let so much time pass. */
async function pass(ms) {
  nowMs += ms;
  mock.timers.tick(ms);
  await settle();
}

/** The server begins a session, unless it is told to have kept one. */
async function started(fields = {}) {
  socket().accept();
  await settle();
  sessions += 1;
  const more = {
    session_id: `s${sessions}`,
    resume: "r1",
    resumed: false,
    history: [],
  };
  socket().say("session.started", { ...more, version: VERSION, ...fields });
}

/** Start a call until the server has taken it. */
async function talking(options = { textOnly: true }) {
  call.start(options);
  await settle();
  await started();
  socket().say("state", { state: "listening" });
  if (!options.textOnly) hear(0.1);
}

/** The network breaks, and the next try gets through to the server's door. */
async function cutAndBack() {
  socket().end(1006);
  await pass(300);
}

/** A line that both sides know. */
function said(itemId, role, text) {
  socket().say("transcript", { item_id: itemId, role, text, final: true });
}

test("a cut is no end: it says so and comes back with its token", async () => {
  await talking();
  socket().end(1006);
  assert.equal(call.session.state, "reconnecting");
  assert.equal(seen.cuts, 1);
  await pass(299);
  assert.equal(ScriptedSocket.opened.length, 1);
  await pass(1);
  assert.equal(ScriptedSocket.opened.length, 2);
  await started({ resumed: true, resume: "r2" });
  assert.equal(socket().sent[0].resume, "r1");
  assert.equal(call.session.state, "listening");
  assert.deepEqual(seen.back, [true]);
  assert.equal(seen.started, 1);
  assert.deepEqual(seen.failures, []);
  assert.deepEqual(seen.stopped, []);
  await cutAndBack();
  await started({ resumed: true });
  assert.equal(socket().sent[0].resume, "r2");
});

test("each try asks for a token of its own", async () => {
  await talking();
  await cutAndBack();
  socket().end(1006);
  await pass(600);
  assert.equal(requests.length, 3);
  assert.equal(ScriptedSocket.opened.length, 3);
});

test("a server that cannot be asked is asked again", async () => {
  await talking();
  const broken = socket();
  installServer({ fails: true });
  broken.end(1006);
  for (let second = 0; second < 20; second += 1) await pass(1_000);
  assert.equal(call.session.state, "reconnecting");
  installServer();
  await pass(5_000);
  await started({ resumed: true });
  assert.equal(call.session.state, "listening");
});

test("after a minute it gives up in words and can be tried again", async () => {
  await talking();
  const broken = socket();
  installServer({ fails: true });
  broken.end(1006);
  for (let second = 0; second < 70; second += 1) await pass(1_000);
  assert.equal(call.session.state, "error");
  const told = { code: "connection_lost", words: "", retryable: true, fatal: true };
  assert.deepEqual(seen.failures, [told]);
  assert.equal(seen.stopped.length, 1);
  assert.deepEqual(seen.resumable.at(-1), { left: null, isHeld: false });
});

test("a try that hangs is given up for the next", async () => {
  await talking();
  globalThis.fetch = () => new Promise(() => {});
  socket().end(1006);
  await pass(300);
  installServer();
  await pass(10_000);
  await pass(600);
  await started({ resumed: true });
  assert.equal(call.session.state, "listening");
});

test("when the network is back it does not wait", async () => {
  await talking();
  socket().end(1006);
  dispatchEvent(new Event("online"));
  await settle();
  assert.equal(ScriptedSocket.opened.length, 2);
  dispatchEvent(new Event("online"));
  await settle();
  assert.equal(ScriptedSocket.opened.length, 2);
});

test("a network that is said to be gone is looked at", async () => {
  await talking();
  dispatchEvent(new Event("offline"));
  await pass(2_000);
  assert.equal(call.session.state, "reconnecting");
});

for (const code of [4401, 4403, 4404, 4408, 4409, 4410, 4429]) {
  test(`${code} on the way back is an end`, async () => {
    await talking();
    await cutAndBack();
    socket().end(code);
    assert.equal(seen.stopped.length, 1);
    assert.equal(seen.failures.at(-1).fatal, true);
    for (let second = 0; second < 70; second += 1) await pass(1_000);
    assert.equal(ScriptedSocket.opened.length, 2);
  });
}

test("a refusal on the way back is an end, in the server's words", async () => {
  await talking();
  const body = { error: { code: "limit", message: "Too many.", retryable: true } };
  const broken = socket();
  installServer({ ok: false, body });
  broken.end(1006);
  await pass(300);
  const told = { code: "limit", words: "Too many.", retryable: true, fatal: true };
  assert.deepEqual(seen.failures, [told]);
  assert.equal(seen.stopped.length, 1);
  assert.equal(call.session.state, "error");
});

test("a stopped call never comes back", async () => {
  await talking();
  socket().end(1006);
  call.stop();
  assert.equal(call.session.state, "idle");
  assert.equal(seen.stopped.length, 1);
  assert.deepEqual(seen.resumable.at(-1), { left: null, isHeld: false });
  dispatchEvent(new Event("online"));
  for (let second = 0; second < 70; second += 1) await pass(1_000);
  assert.equal(ScriptedSocket.opened.length, 1);
});

test("a call that is stopped while a try runs stays stopped", async () => {
  await talking();
  await cutAndBack();
  call.stop();
  const tried = socket();
  tried.accept();
  await settle();
  assert.deepEqual(tried.sent, []);
  assert.equal(call.session.state, "idle");
});

test("a server that stops sends its calls elsewhere", async () => {
  await talking();
  socket().say("error", { code: "draining", message: "Later.", fatal: true });
  socket().say("session.stopped", { reason: "draining", duration_s: 3 });
  assert.equal(call.session.state, "reconnecting");
  await pass(300);
  await started({ resumed: true });
  assert.equal(call.session.state, "listening");
  assert.deepEqual(seen.failures, []);
  assert.deepEqual(seen.stopped, []);
});

test("a first connection that meets a stopping server tries the next", async () => {
  call.start({ textOnly: true });
  await settle();
  socket().accept();
  await settle();
  socket().end(4503);
  assert.equal(call.session.state, "reconnecting");
  await pass(300);
  await started();
  assert.equal(call.session.state, "listening");
  assert.equal(seen.started, 1);
});

test("what is said during the cut is sent, six seconds of it at most", async () => {
  await talking({ textOnly: false });
  socket().end(1006);
  hear(8);
  await pass(300);
  await started({ resumed: true });
  assert.equal(socket().frames.length, 150);
  hear(0.2);
  assert.equal(socket().frames.length, 155);
});

test("an answer that was cut off is played as far as it came", async () => {
  await talking({ textOnly: false });
  socket().say("state", { state: "speaking" });
  socket().say("audio.start", { item_id: "a", response_id: "r" });
  for (let n = 0; n < 10; n += 1) socket().sendAudio(pcm16(tone(440, 24_000, 0.1)));
  context().play(200);
  socket().end(1006);
  context().play(1_000);
  const { itemId, playedMs, underruns } = call.getStats();
  assert.deepEqual([itemId, playedMs, underruns], ["a", 1_000, 0]);
  await pass(300);
  await started({ resumed: true });
  socket().say("audio.start", { item_id: "b", response_id: "r2" });
  for (let n = 0; n < 5; n += 1) socket().sendAudio(pcm16(tone(440, 24_000, 0.1)));
  socket().say("audio.end", { item_id: "b" });
  context().play(600);
  assert.equal(call.getStats().itemId, "b");
});

test("what is typed during the cut is sent once, in order", async () => {
  await talking();
  socket().end(1006);
  call.sendMessage("one", "user");
  call.sendMessage("two", "user");
  await pass(300);
  await started({ resumed: true });
  assert.deepEqual(texts(), ["one", "two"]);
  said("t1", "user", "one");
  said("t2", "user", "two");
  const history = [
    { role: "user", text: "one" },
    { role: "user", text: "two" },
  ];
  await cutAndBack();
  await started({ resumed: true, history });
  assert.deepEqual(texts(), []);
});

test("what the server never got is sent again, what it got is not", async () => {
  await talking();
  said("t0", "user", "hello");
  call.sendMessage("got", "user");
  call.sendMessage("lost", "user");
  await cutAndBack();
  const history = [
    { role: "user", text: "hello" },
    { role: "user", text: "got" },
  ];
  await started({ resumed: true, history });
  assert.deepEqual(texts(), ["lost"]);
});

test("the same words typed twice are two messages", async () => {
  await talking();
  call.sendMessage("yes", "user");
  said("t1", "user", "yes");
  call.sendMessage("yes", "user");
  await cutAndBack();
  await started({ resumed: true, history: [{ role: "user", text: "yes" }] });
  assert.deepEqual(texts(), ["yes"]);
});

for (const [session, answered] of [
  ["another", []],
  ["s1", ["c1"]],
]) {
  test(`a tool that ran through the cut is answered to ${session} as it asked`, async () => {
    await talking();
    socket().say("tool.call", { call_id: "c1", name: "fill", arguments: "{}" });
    socket().end(1006);
    call.answerTool({ type: "tool.result", call_id: "c1", output: "done" });
    await pass(300);
    await started({ resumed: true, session_id: session });
    call.answerTool({ type: "tool.result", call_id: "c9", output: "never asked" });
    const calls = socket().sent.flatMap(({ call_id }) => call_id ?? []);
    assert.deepEqual(calls, answered);
  });
}

test("the lines stay, and what was said meanwhile is added", async () => {
  await talking();
  said("t1", "user", "hello");
  socket().say("transcript", { item_id: "a1", role: "assistant", delta: "On Mon" });
  await cutAndBack();
  const history = [
    { role: "user", text: "hello" },
    { role: "assistant", text: "On Monday at nine." },
    { role: "user", text: "and then" },
  ];
  await started({ resumed: true, history });
  assert.deepEqual(lines(), [
    "user: hello",
    "assistant: On Monday at nine.",
    "user: and then",
  ]);
  assert.ok(call.transcript.lines.every(({ final }) => final));
});

test("item ids that begin anew are other lines", async () => {
  await talking();
  said("typed_1", "user", "first");
  await cutAndBack();
  const history = [{ role: "user", text: "first" }];
  await started({ resumed: true, history });
  const words = { role: "user", text: "second", final: true, previous_item_id: null };
  socket().say("transcript", { item_id: "typed_1", ...words });
  assert.deepEqual(lines(), ["user: first", "user: second"]);
});

test("in a session that was kept, lines are brought up to date", async () => {
  await talking();
  said("typed_1", "user", "hello");
  socket().say("transcript", {
    item_id: "a1",
    role: "assistant",
    delta: "On Monday at",
  });
  socket().say("transcript", { item_id: "u2", role: "user", delta: "" });
  await cutAndBack();
  const history = [
    { role: "user", text: "long ago" },
    { role: "user", text: "hello", item_id: "typed_1" },
    { role: "assistant", text: "On Monday", item_id: "a1", interrupted: true },
    { role: "assistant", text: "Meanwhile.", item_id: "a3" },
  ];
  await started({ resumed: true, session_id: "s1", history });
  socket().say("transcript", { item_id: "u2", role: "user", text: "and", final: true });
  assert.deepEqual(lines(), [
    "user: hello",
    "assistant: On Monday",
    "user: and",
    "assistant: Meanwhile.",
  ]);
  const [, cut, , meanwhile] = call.transcript.lines;
  assert.deepEqual([cut.interrupted, cut.final], [true, true]);
  assert.deepEqual([meanwhile.interrupted, meanwhile.final], [false, true]);
});

test("what a session that was kept has got is not sent again", async () => {
  await talking();
  said("typed_1", "user", "yes");
  call.sendMessage("yes", "user");
  call.sendMessage("lost", "user");
  await cutAndBack();
  const history = [
    { role: "user", text: "yes", item_id: "typed_1" },
    { role: "user", text: "yes", item_id: "typed_2" },
  ];
  await started({ resumed: true, session_id: "s1", history });
  assert.deepEqual(texts(), ["lost"]);
  assert.deepEqual(lines(), ["user: yes", "user: yes"]);
});

test("another page of a session that was kept knows its lines", async () => {
  call.start({ textOnly: true, resume: "r0" });
  await settle();
  const history = [
    { role: "user", text: "long ago" },
    { role: "user", text: "hello", item_id: "typed_1" },
  ];
  await started({ resumed: true, history });
  socket().say("transcript", { item_id: "typed_1", role: "user", text: "hello!" });
  assert.deepEqual(lines(), ["user: long ago", "user: hello!"]);
});

test("the server is told ahead that a page comes back", async () => {
  await talking();
  assert.equal(JSON.parse(requests.at(-1).body).resume, "");
  await cutAndBack();
  assert.equal(JSON.parse(requests.at(-1).body).resume, "r1");
});

test("a conversation that could not be gone on with is told to be new", async () => {
  await talking();
  said("t1", "user", "hello");
  await cutAndBack();
  await started({ resumed: false });
  assert.deepEqual(lines(), []);
  assert.deepEqual(seen.back, [false]);
  assert.equal(seen.failures[0].code, "new_conversation");
  assert.equal(seen.failures[0].fatal, false);
});

test("another page begins with what was said", async () => {
  call.start({ textOnly: true, resume: "r0" });
  await settle();
  const history = [
    { role: "user", text: "hello" },
    { role: "assistant", text: "Good day." },
  ];
  await started({ resumed: true, history });
  assert.equal(socket().sent[0].resume, "r0");
  assert.deepEqual(lines(), ["user: hello", "assistant: Good day."]);
  assert.equal(seen.started, 1);
  assert.deepEqual(seen.back, []);
  assert.deepEqual(texts(), []);
});

test("a page that goes away leaves its conversation to the next", async () => {
  await talking();
  call.toggleMicrophone();
  const held = seen.resumable.at(-1);
  assert.deepEqual(held, {
    left: { token: "r1", textOnly: true, muted: false },
    isHeld: true,
  });
  call.abandon(true);
  const left = { token: "r1", textOnly: true, muted: true };
  assert.deepEqual(seen.resumable.at(-1), { left, isHeld: false });
  assert.equal(socket().types.includes("session.stop"), false);
  assert.equal(socket().readyState, 3);
  assert.equal(seen.stopped.length, 1);
});

test("a widget that stays on its page ends with it", async () => {
  await talking();
  call.abandon(false);
  assert.equal(socket().types.at(-1), "session.stop");
  assert.deepEqual(seen.resumable.at(-1), { left: null, isHeld: false });
});

test("a server of another version asks once for a reload", async () => {
  await talking();
  assert.deepEqual(seen.failures, []);
  await cutAndBack();
  await started({ resumed: true, version: "999.0" });
  assert.deepEqual(seen.failures, [
    { code: "outdated", words: "", retryable: false, fatal: false },
  ]);
  await cutAndBack();
  await started({ resumed: true, version: "999.0" });
  assert.equal(seen.failures.length, 1);
  socket().end(4400);
  const { code, retryable } = seen.failures.at(-1);
  assert.deepEqual([code, retryable], ["outdated", false]);
});

test("a key that was held when the connection broke is let go", async () => {
  call.start({ textOnly: false });
  await settle();
  await started({ turn_detection: "none" });
  hear(0.1);
  await call.startTurn();
  assert.equal(call.held, true);
  socket().end(1006);
  assert.equal(call.held, false);
  assert.equal(call.key.ready, false);
});
