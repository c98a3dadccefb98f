/** The WebSocket client of the npm package `openai`. */

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { check, Events, sound, url } from "./talk.js";

const base = new URL(/** @type {string} */ (url).replace(/\/realtime$/, ""));
const client = new OpenAI({
  apiKey: "any",
  baseURL: base.href.replace(/^ws/, "http"),
});

// The package always dials wss; this is how it goes without TLS on the loopback.
const plain = {
  createConnection: () => net.connect(Number(base.port), base.hostname),
};

/**
 * @param {object} where
 * @param {(socket: OpenAIRealtimeWS, events: Events) => Promise<void>} talk
 * @param {OpenAI} [opener]
 */
async function withSocket(where, talk, opener = client) {
  const socket = new OpenAIRealtimeWS({ ...where, options: plain }, opener);
  const events = new Events();
  socket.on("event", (event) => events.add(event));
  socket.on("error", (error) => events.fail(error));
  try {
    await events.until("session.created");
    await talk(socket, events);
  } finally {
    const closed = new Promise((resolve) => socket.socket.once("close", resolve));
    socket.close();
    await closed;
  }
  events.end();
  for (const event of events.seen) check(event);
}

const MODEL = { model: "gpt-realtime-2.1" };

/**
 * @param {OpenAIRealtimeWS} socket
 * @param {Events} events
 * @param {object} session
 */
async function configure(socket, events, session) {
  socket.send({ type: "session.update", session: { type: "realtime", ...session } });
  await events.until("session.updated");
}

/**
 * @param {OpenAIRealtimeWS} socket
 * @param {string} text
 */
function write(socket, text) {
  const content = [{ type: /** @type {const} */ ("input_text"), text }];
  const item = { type: /** @type {const} */ ("message"), role: "user", content };
  socket.send(/** @type {any} */ ({ type: "conversation.item.create", item }));
  socket.send({ type: "response.create" });
}

/**
 * @param {OpenAIRealtimeWS} socket
 * @param {ArrayBuffer} pcm
 */
function speak(socket, pcm) {
  const audio = Buffer.from(pcm).toString("base64");
  socket.send({ type: "input_audio_buffer.append", audio });
}

test("a written turn", async () => {
  await withSocket(MODEL, async (socket, events) => {
    await configure(socket, events, { output_modalities: ["text"] });
    write(socket, "Good morning");
    const { response } = await events.until("response.done");
    assert.equal(response.output[0].content[0].text, 'You said: "Good morning".');
    await events.until("rate_limits.updated");
  });
});

test("a spoken turn", async () => {
  await withSocket(MODEL, async (socket, events) => {
    speak(socket, sound(1000));
    speak(socket, sound(1500, 0));
    const { response } = await events.until("response.done");
    assert.match(response.output[0].content[0].transcript, /seconds of speech/);
    assert.ok(events.all("response.output_audio.delta").length > 0);
  });
});

test("a tool turn", async () => {
  const tell = { type: "function", name: "tell_time", parameters: { type: "object" } };
  await withSocket(MODEL, async (socket, events) => {
    await configure(socket, events, { output_modalities: ["text"], tools: [tell] });
    write(socket, 'tell_time {"place": "Lima"}');
    const call = await events.until("response.function_call_arguments.done");
    assert.equal(call.arguments, '{"place": "Lima"}');
    await events.until("response.done");
    const item = {
      type: /** @type {const} */ ("function_call_output"),
      call_id: call.call_id,
      output: "Noon.",
    };
    socket.send({ type: "conversation.item.create", item });
    socket.send({ type: "response.create" });
    const { response } = await events.until("response.done");
    assert.equal(response.output[0].content[0].text, "The tool says: Noon.");
  });
});

test("an answer is interrupted and cut", async () => {
  await withSocket(MODEL, async (socket, events) => {
    write(socket, "Please count slowly.");
    const { item_id } = await events.until("response.output_audio.delta");
    speak(socket, sound(600));
    await events.until("input_audio_buffer.speech_started");
    const { response } = await events.until("response.done");
    assert.equal(response.status_details.reason, "turn_detected");
    const cut = { item_id, content_index: 0, audio_end_ms: 100 };
    socket.send({ type: "conversation.item.truncate", ...cut });
    assert.equal((await events.until("conversation.item.truncated")).item_id, item_id);
  });
});

test("an answer beside the conversation", async () => {
  await withSocket(MODEL, async (socket, events) => {
    const response = { conversation: "none", output_modalities: ["text"], input: [] };
    socket.send(/** @type {any} */ ({ type: "response.create", response }));
    const done = await events.until("response.done");
    assert.equal(done.response.output[0].content[0].text, "Hello.");
  });
});

test("a transcription session", async () => {
  await withSocket({ intent: "transcription" }, async (socket, events) => {
    speak(socket, sound(800));
    speak(socket, sound(1500, 0));
    const words = await events.until(
      "conversation.item.input_audio_transcription.completed",
    );
    assert.match(words.transcript, /seconds of speech/);
  });
});

test("a client secret opens a socket", async () => {
  const made = await client.realtime.clientSecrets.create({
    session: { type: "realtime", instructions: "Be brief." },
  });
  const browser = new OpenAI({ apiKey: made.value, baseURL: client.baseURL });
  const talk = async (/** @type {unknown} */ _socket, /** @type {Events} */ events) => {
    assert.equal(events.seen[0].session.instructions, "Be brief.");
  };
  await withSocket(MODEL, talk, browser);
});

test("the models", async () => {
  const { data } = await client.models.list();
  assert.ok(data.some((model) => model.id === "scripted"));
});
