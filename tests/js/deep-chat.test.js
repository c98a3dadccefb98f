import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { adopt } from "../../realtime_widget/static/realtime_widget/deep-chat.js";
import { PageTools } from "../../realtime_widget/static/realtime_widget/page-tools.js";

const CONFIG = {
  avatar: { src: "/avatar.svg", alt: "Ada", maxScale: 2.5, styles: { image: {} } },
  buttons: { container: {}, microphone: {}, toggle: {} },
  loading: { text: "Loading", html: "", display: true, style: {} },
  error: { text: "", style: {} },
  autoStart: false,
};
const CALL = {
  call_id: "c1",
  name: "get_current_weather",
  arguments: '{"location":"Tokyo"}',
};

let told;
let element;

beforeEach(() => {
  told = [];
  for (const level of ["info", "warn", "error"]) {
    console[level] = (text) => told.push(`${level}: ${text}`);
  }
  element = new PageTools();
  element.methods = { sendMessage() {}, updateConfig() {} };
});

test("one function answers all tools, with the arguments as JSON text", async () => {
  let called;
  const realtime = {
    config: {
      function_handler: (call) => {
        called = call;
        return { temperature: "10" };
      },
    },
  };
  adopt(element, CONFIG, { openAI: { realtime } });
  const answer = await element.answer(CALL);
  assert.deepEqual(called, { name: CALL.name, arguments: CALL.arguments });
  assert.deepEqual(answer.output, { temperature: "10" });
  assert.deepEqual(told, []);
});

test("a function that is set after the element stands is called", async () => {
  const realtime = {};
  adopt(element, CONFIG, { openAI: { realtime } });
  realtime.config = { function_handler: async () => ({ temperature: "22" }) };
  assert.deepEqual((await element.answer(CALL)).output, { temperature: "22" });
});

test("a call without a function, or one that fails, is answered with an error", async () => {
  const realtime = { config: {} };
  adopt(element, CONFIG, { openAI: { realtime } });
  assert.equal((await element.answer(CALL)).error, "failed");
  realtime.config.function_handler = () => {
    throw new Error("secret");
  };
  assert.equal((await element.answer(CALL)).error, "failed");
});

test("a handler of the page's own goes before it", async () => {
  element.functionHandler = () => "own";
  adopt(element, CONFIG, { openAI: { realtime: { config: {} } } });
  assert.equal((await element.answer(CALL)).output, "own");
});

test("looks of the page go over those of the row, piece by piece", () => {
  const realtime = {
    autoStart: true,
    avatar: { maxScale: 3.5, styles: { container: { height: "60%" } } },
    loading: { text: "One moment" },
  };
  const config = adopt(element, CONFIG, { openAI: { realtime } });
  assert.deepEqual(config.avatar, {
    src: "/avatar.svg",
    alt: "Ada",
    maxScale: 3.5,
    styles: { image: {}, container: { height: "60%" } },
  });
  assert.deepEqual(config.loading, { ...CONFIG.loading, text: "One moment" });
  assert.equal(config.autoStart, true);
  assert.equal(config.skin, "classic");
});

test("true is an object without options, and gets no methods", () => {
  const given = { openAI: { realtime: true } };
  assert.equal(adopt(element, CONFIG, given).skin, "classic");
  assert.equal(given.openAI.realtime, true);
});

test("an object gets the methods", () => {
  const given = { openAI: { realtime: {} } };
  adopt(element, CONFIG, given);
  assert.equal(given.openAI.realtime.methods, element.methods);
});

for (const name of [
  "model",
  "instructions",
  "voice",
  "temperature",
  "max_response_output_tokens",
  "turn_detection",
  "input_audio_transcription",
  "tools",
  "tool_choice",
]) {
  test(`config.${name} is the server's, and the console says where it is set`, () => {
    const realtime = { config: { [name]: "anything" } };
    const config = adopt(element, CONFIG, { openAI: { realtime } });
    assert.equal(told.length, 1);
    assert.match(told[0], new RegExp(`^info: .*"${name}".*admin imports`));
    assert.equal(JSON.stringify(config).includes("anything"), false);
  });
}

for (const place of ["openAI", "realtime"]) {
  test(`a key in ${place} is told to be taken out, and never repeated`, () => {
    const given = { openAI: { realtime: {} } };
    (place === "openAI" ? given.openAI : given.openAI.realtime).key = "sk-secret";
    adopt(element, CONFIG, given);
    assert.match(told[0], /^warn: .*"key".*revoke/);
    assert.doesNotMatch(told.join(), /sk-secret/);
  });
}

test("another service than openAI.realtime changes nothing and is told", () => {
  assert.equal(adopt(element, CONFIG, { demo: true }), CONFIG);
  assert.match(told[0], /only openAI.realtime/);
});

test("an option that nobody knows is told", () => {
  adopt(element, CONFIG, { openAI: { realtime: { avatars: {} } } });
  assert.match(told[0], /"avatars" is not known/);
});
