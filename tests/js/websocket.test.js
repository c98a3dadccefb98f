import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { GIVEN_UP } from "../../realtime_widget/static/realtime_widget/protocol.js";
import { SessionRefused } from "../../realtime_widget/static/realtime_widget/transports/asking.js";
import { WebSocketTransport } from "../../realtime_widget/static/realtime_widget/transports/websocket.js";
import { installServer, ScriptedSocket, settle } from "./page.js";

const WISH = { language: "en", text_only: false };

let seen;
let transport;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  seen = { messages: [], audio: [], closes: [] };
  transport = new WebSocketTransport({
    onMessage: (message) => seen.messages.push(message),
    onAudio: (audio) => seen.audio.push(audio),
    onClose: (code) => seen.closes.push(code),
  });
});

/** Return the open socket. */
async function connected() {
  installServer();
  const connecting = transport.connect("/session", WISH);
  await settle();
  const [socket] = ScriptedSocket.opened;
  socket.accept();
  await connecting;
  return socket;
}

test("it asks for a token as JSON, with the cookies of this site only", async () => {
  const requests = installServer();
  transport.connect("/session", WISH);
  await settle();
  assert.deepEqual(requests, [
    {
      url: "/session",
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(WISH),
    },
  ]);
});

test("the token travels as a subprotocol", async () => {
  const socket = await connected();
  assert.equal(socket.url, "ws://page/ws");
  assert.deepEqual(socket.protocols, ["realtime-widget.v1", "token.t1"]);
  assert.equal(socket.binaryType, "arraybuffer");
});

for (const [what, server, expected] of [
  [
    "the server's own words",
    {
      ok: false,
      body: { error: { code: "limit", message: "Too many.", retryable: true } },
    },
    { code: "limit", words: "Too many.", retryable: true },
  ],
  [
    "a page of HTML",
    { ok: false, body: "html" },
    { code: "internal", words: "", retryable: true },
  ],
  [
    "no network",
    { fails: true },
    { code: "connection_lost", words: "", retryable: true },
  ],
]) {
  test(`a refusal by ${what} is told`, async () => {
    installServer(server);
    await assert.rejects(transport.connect("/session", WISH), (error) => {
      assert.ok(error instanceof SessionRefused);
      const { code, words, retryable } = error;
      assert.deepEqual({ code, words, retryable }, expected);
      return true;
    });
    assert.deepEqual(ScriptedSocket.opened, []);
  });
}

test("closed while it waits for the token, it opens no socket", async () => {
  installServer();
  const connecting = transport.connect("/session", WISH);
  transport.close();
  await connecting;
  assert.deepEqual(ScriptedSocket.opened, []);
});

test("messages and audio go their own ways", async () => {
  const socket = await connected();
  const audio = new ArrayBuffer(4);
  socket.say("state", { state: "listening" });
  socket.sendAudio(audio);
  assert.deepEqual(seen.messages, [{ type: "state", state: "listening" }]);
  assert.deepEqual(seen.audio, [audio]);
});

test("nothing is sent before the socket is open or after it closed", async () => {
  installServer();
  transport.connect("/session", WISH);
  await settle();
  const [socket] = ScriptedSocket.opened;
  transport.send({ type: "message" });
  transport.sendAudio(new ArrayBuffer(2));
  socket.accept();
  socket.end(1006);
  transport.send({ type: "message" });
  assert.deepEqual(socket.sent, []);
  assert.deepEqual(socket.frames, []);
});

test("audio that the network cannot take is dropped and counted", async () => {
  const socket = await connected();
  transport.sendAudio(new ArrayBuffer(2));
  socket.bufferedAmount = 256 * 1024 + 1;
  transport.sendAudio(new ArrayBuffer(2));
  transport.send({ type: "interrupt" });
  socket.bufferedAmount = 0;
  transport.sendAudio(new ArrayBuffer(2));
  assert.equal(socket.frames.length, 2);
  assert.equal(transport.stats.sentFrames, 2);
  assert.equal(transport.stats.droppedFrames, 1);
  assert.deepEqual(socket.types, ["interrupt"]);
});

test("it pings every 5 s and knows the way's length from the answer", async () => {
  const socket = await connected();
  mock.timers.tick(10_000);
  assert.deepEqual(socket.types, ["ping", "ping"]);
  socket.say("pong", { t: performance.now() - 20 });
  assert.ok(transport.stats.latencyMs >= 20 && transport.stats.latencyMs < 120);
  assert.deepEqual(seen.messages, []);
});

test("a server that answers no ping is as good as gone", async () => {
  const socket = await connected();
  mock.timers.tick(15_000);
  assert.deepEqual(seen.closes, []);
  mock.timers.tick(5_000);
  assert.deepEqual(seen.closes, [1006]);
  assert.equal(socket.closedWith, GIVEN_UP);
  mock.timers.tick(60_000);
  assert.equal(socket.types.length, 3);
});

test("whatever is heard is a sign of life", async () => {
  const socket = await connected();
  for (let step = 0; step < 20; step += 1) {
    mock.timers.tick(5_000);
    if (step % 2) socket.say("state", { state: "listening" });
    else socket.sendAudio(new ArrayBuffer(2));
  }
  assert.deepEqual(seen.closes, []);
});

test("told that the network is gone, it finds out soon", async () => {
  const socket = await connected();
  transport.probe();
  assert.deepEqual(socket.types, ["ping"]);
  socket.say("pong", { t: performance.now() });
  mock.timers.tick(2_000);
  assert.deepEqual(seen.closes, []);
  transport.probe();
  mock.timers.tick(2_000);
  assert.deepEqual(seen.closes, [1006]);
});

test("the end is told once, with its code, and the pings stop", async () => {
  const socket = await connected();
  socket.end(4408);
  mock.timers.tick(60_000);
  assert.deepEqual(seen.closes, [4408]);
  assert.deepEqual(socket.types, []);
});

test("a socket that is refused leaves no ping behind", async () => {
  installServer();
  const connecting = transport.connect("/session", WISH);
  await settle();
  const [socket] = ScriptedSocket.opened;
  socket.end(1006);
  await connecting;
  socket.readyState = 1;
  mock.timers.tick(60_000);
  assert.deepEqual(socket.types, []);
  assert.deepEqual(seen.closes, [1006]);
});

test("after close nothing is heard of it any more", async () => {
  const socket = await connected();
  transport.close();
  socket.say("state", { state: "hearing" });
  socket.onclose({ code: 1000 });
  assert.equal(socket.closedWith, 1000);
  assert.deepEqual(seen, { messages: [], audio: [], closes: [] });
});
