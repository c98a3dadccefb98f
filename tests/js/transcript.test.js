import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Transcript } from "../../realtime_widget/static/realtime_widget/transcript.js";

let transcript;

beforeEach(() => {
  transcript = new Transcript();
});

const user = { role: "user", final: true };
const agent = { role: "assistant" };
const texts = () => transcript.lines.map(({ text }) => text);

test("pieces make a line, the whole text replaces them", () => {
  transcript.take({ ...agent, item_id: "a", delta: "Good " });
  const line = transcript.take({ ...agent, item_id: "a", delta: "mor" });
  assert.equal(line.text, "Good mor");
  assert.equal(line.final, false);
  transcript.take({ ...agent, item_id: "a", text: "Good morning.", final: true });
  assert.deepEqual(texts(), ["Good morning."]);
  assert.equal(transcript.lines[0].final, true);
});

test("words of the visitor that come late stand before their answer", () => {
  transcript.take({ ...agent, item_id: "a0", previous_item_id: null, text: "Hello!" });
  transcript.take({ ...agent, item_id: "a1", previous_item_id: "a0", delta: "It has" });
  transcript.take({ ...user, item_id: "u1", previous_item_id: "a0", text: "Where?" });
  assert.deepEqual(texts(), ["Hello!", "Where?", "It has"]);
});

test("a line moves when a later message knows its place", () => {
  transcript.take({ ...user, item_id: "u1", previous_item_id: null, text: "one" });
  transcript.take({ ...user, item_id: "u2", previous_item_id: "u1", text: "three" });
  transcript.take({ ...agent, item_id: "a1", previous_item_id: "u2", delta: "t" });
  transcript.take({ ...agent, item_id: "a1", previous_item_id: "u1", delta: "wo" });
  assert.deepEqual(texts(), ["one", "two", "three"]);
});

test("what came without its place keeps what was said of it", () => {
  transcript.take({ ...agent, item_id: "a1", previous_item_id: null, delta: "answer" });
  transcript.take({ ...user, item_id: "u1", previous_item_id: null, text: "question" });
  transcript.take({ ...agent, item_id: "a1", previous_item_id: "u1", delta: "s" });
  transcript.take({ ...user, item_id: "u2", previous_item_id: "a1", text: "thanks" });
  assert.deepEqual(texts(), ["question", "answers", "thanks"]);
});

test("two that are late stand in their order whatever comes first", () => {
  transcript.take({ ...user, item_id: "u1", text: "one" });
  transcript.take({ ...agent, item_id: "a3", previous_item_id: "u2", delta: "three" });
  transcript.take({ ...user, item_id: "u2", previous_item_id: "a1", text: "two" });
  transcript.take({ ...agent, item_id: "a1", previous_item_id: "u1", text: "one b" });
  assert.deepEqual(texts(), ["one", "one b", "two", "three"]);
});

test("an item that begins the conversation stands first although it came second", () => {
  transcript.take({ ...agent, item_id: "a1", previous_item_id: "u1", delta: "answer" });
  transcript.take({ ...user, item_id: "u1", previous_item_id: null, text: "question" });
  assert.deepEqual(texts(), ["question", "answer"]);
});

test("without a word about the order a line stands where it came", () => {
  transcript.take({ ...user, item_id: "u1", text: "one" });
  transcript.take({ ...agent, item_id: "a1", text: "two" });
  assert.deepEqual(texts(), ["one", "two"]);
});

test("a final line stays final", () => {
  transcript.take({ ...user, item_id: "u1", text: "one" });
  transcript.take({ role: "user", item_id: "u1", text: "one two", final: false });
  assert.equal(transcript.lines[0].final, true);
});

test("an interrupted line says so", () => {
  transcript.take({ ...agent, item_id: "a", delta: "On Mondays we" });
  assert.equal(transcript.interrupt("a").interrupted, true);
  assert.equal(transcript.interrupt("unknown"), undefined);
});

test("a new conversation begins empty", () => {
  transcript.take({ ...user, item_id: "u1", text: "one" });
  transcript.clear();
  assert.deepEqual(transcript.lines, []);
  transcript.take({ ...user, item_id: "u1", text: "again" });
  assert.deepEqual(texts(), ["again"]);
});

test("an answer stays that of its session when another goes on", () => {
  transcript.begin("first");
  transcript.take({ ...agent, item_id: "a1", text: "At nine.", final: true });
  transcript.resume([{ role: "assistant", text: "At nine." }], "second");
  transcript.take({ ...agent, item_id: "a1", text: "At ten.", final: true });
  assert.deepEqual(
    transcript.lines.map(({ of }) => of),
    [
      { session_id: "first", item_id: "a1" },
      { session_id: "second", item_id: "a1" },
    ],
  );
});

test("a page that comes later knows whose the earlier answers are, or that it does not", () => {
  const of = { session_id: "first", item_id: "a1" };
  transcript.resume(
    [
      { role: "user", text: "When?" },
      { role: "assistant", text: "At nine.", of },
      { role: "assistant", text: "Sharp." },
      { role: "assistant", text: "Welcome back.", item_id: "a1" },
    ],
    "second",
  );
  assert.deepEqual(
    transcript.lines.map((line) => line.of),
    [null, of, null, { session_id: "second", item_id: "a1" }],
  );
});
