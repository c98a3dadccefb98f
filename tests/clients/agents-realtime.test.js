/** `@openai/agents-realtime`: a RealtimeSession over its WebSocket transport. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  OpenAIRealtimeWebSocket,
  RealtimeAgent,
  RealtimeSession,
  tool,
} from "@openai/agents-realtime";
import { z } from "zod";
import { check, Events, sound, url } from "./talk.js";

const getWeather = tool({
  name: "get_weather",
  description: "Tell the weather in a city.",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `Sunny in ${city}.`,
});

const bookTable = tool({
  name: "book_table",
  description: "Book a table.",
  parameters: z.object({ people: z.number() }),
  needsApproval: true,
  execute: async ({ people }) => `Booked for ${people}.`,
});

/**
 * Runs a session; every event of the server has to fit the client's own schemas.
 *
 * @param {RealtimeAgent} agent
 * @param {(session: RealtimeSession, events: Events) => Promise<void>} talk
 * @param {object} [options]
 */
async function withSession(agent, talk, options = {}) {
  const transport = new OpenAIRealtimeWebSocket({
    url: `${url}?model=gpt-realtime-2.1`,
  });
  const session = new RealtimeSession(agent, { transport, ...options });
  const events = new Events();
  session.on("transport_event", (event) => events.add(event));
  session.on("error", (error) => events.fail(new Error(JSON.stringify(error))));
  try {
    await session.connect({ apiKey: "any" });
    await events.until("session.updated");
    await talk(session, events);
  } finally {
    session.close();
  }
  events.end();
  const told = events.seen.filter((event) => !LOCAL.has(event.type));
  assert.ok(told.length > 0);
  for (const event of told) check(event);
}

// Events that the transport makes itself.
const LOCAL = new Set(["connection_change"]);

/**
 * @param {RealtimeSession} session
 * @param {string} name
 * @returns {Promise<any[]>}
 */
function next(session, name) {
  return new Promise((resolve) => {
    session.once(/** @type {any} */ (name), (...details) => resolve(details));
  });
}

/** @param {any} done */
const said = (done) => done.response.output[0].content[0].transcript;

test("a written turn is answered with sound and in the history", async () => {
  const agent = new RealtimeAgent({ name: "Host", instructions: "Be brief." });
  await withSession(agent, async (session, events) => {
    let bytes = 0;
    session.on("audio", (audio) => {
      bytes += audio.data.byteLength;
    });
    session.sendMessage("Good morning");
    assert.equal(
      said(await events.until("response.done")),
      'You said: "Good morning".',
    );
    assert.ok(bytes > 48_000);
    const roles = session.history.map((item) => "role" in item && item.role);
    assert.deepEqual(roles, ["user", "assistant"]);
  });
});

test("a spoken turn is heard", async () => {
  await withSession(new RealtimeAgent({ name: "Host" }), async (session, events) => {
    session.sendAudio(sound(1000));
    session.sendAudio(sound(2000, 0));
    assert.match(said(await events.until("response.done")), /seconds of speech/);
  });
});

test("a tool is called and its output spoken", async () => {
  const agent = new RealtimeAgent({ name: "Host", tools: [getWeather] });
  await withSession(agent, async (session, events) => {
    session.sendMessage('get_weather {"city": "Kyoto"}');
    await events.until("response.done");
    assert.equal(
      said(await events.until("response.done")),
      "The tool says: Sunny in Kyoto.",
    );
  });
});

for (const allowed of [true, false]) {
  test(`a tool waits for approval, ${allowed ? "given" : "refused"}`, async () => {
    const agent = new RealtimeAgent({ name: "Host", tools: [bookTable] });
    await withSession(agent, async (session, events) => {
      const asked = next(session, "tool_approval_requested");
      session.sendMessage('book_table {"people": 4}');
      const [, , request] = await asked;
      if (allowed) await session.approve(request.approvalItem);
      else await session.reject(request.approvalItem);
      await events.until("response.done");
      const answer = said(await events.until("response.done"));
      assert.match(answer, /^The tool says: /);
      assert.equal(answer.includes("Booked for 4."), allowed);
    });
  });
}

test("speech interrupts the answer", async () => {
  await withSession(new RealtimeAgent({ name: "Host" }), async (session, events) => {
    session.sendMessage("Please count slowly.");
    await events.until("response.output_audio.delta");
    const interrupted = next(session, "audio_interrupted");
    session.sendAudio(sound(600));
    await interrupted;
    const done = await events.until("response.done");
    assert.equal(done.response.status, "cancelled");
  });
});

test("the application interrupts the answer", async () => {
  await withSession(new RealtimeAgent({ name: "Host" }), async (session, events) => {
    session.sendMessage("Please count slowly.");
    await events.until("response.output_audio.delta");
    session.interrupt();
    const done = await events.until("response.done");
    assert.equal(done.response.status, "cancelled");
  });
});

test("a guardrail trips on the answer", async () => {
  const brevity = {
    name: "brevity",
    policyHint: "be brief",
    /** @param {{agentOutput: string}} answer */
    execute: async ({ agentOutput }) => ({
      tripwireTriggered: agentOutput.includes("long sentence"),
      outputInfo: {},
    }),
  };
  const talk = async (
    /** @type {RealtimeSession} */ session,
    /** @type {Events} */ events,
  ) => {
    const tripped = next(session, "guardrail_tripped");
    session.sendMessage("Tell me something long");
    await tripped;
    await events.until("response.done");
    assert.match(said(await events.until("response.done")), /be brief/);
  };
  await withSession(new RealtimeAgent({ name: "Host" }), talk, {
    outputGuardrails: [brevity],
  });
});

test("an agent hands off to another", async () => {
  const kitchen = new RealtimeAgent({
    name: "Kitchen",
    instructions: "Cook.",
    handoffDescription: "Cooks.",
    tools: [getWeather],
  });
  const host = new RealtimeAgent({ name: "Host", handoffs: [kitchen] });
  await withSession(host, async (session, events) => {
    const handedOff = next(session, "agent_handoff");
    session.sendMessage("transfer_to_Kitchen {}");
    const [, from, to] = await handedOff;
    assert.deepEqual([from.name, to.name], ["Host", "Kitchen"]);
    await events.until("response.done");
    assert.match(said(await events.until("response.done")), /^The tool says: /);
    const updates = events.all("session.updated");
    assert.equal(updates.at(-1).session.instructions, "Cook.");
    session.sendMessage('get_weather {"city": "Oslo"}');
    await events.until("response.done");
    assert.match(said(await events.until("response.done")), /Sunny in Oslo/);
  });
});
