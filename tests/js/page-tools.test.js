import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { PageTools } from "../../realtime_widget/static/realtime_widget/page-tools.js";

let tools;

beforeEach(() => {
  tools = new PageTools();
  mock.method(console, "error", () => {});
});

const call = (name, text = "{}") => ({ call_id: "c1", name, arguments: text });

test("a function of the page answers with what it returns", async () => {
  tools.register("add", ({ a, b }) => ({ sum: a + b }));
  assert.deepEqual(await tools.answer(call("add", '{"a": 2, "b": 3}')), {
    type: "tool.result",
    call_id: "c1",
    output: { sum: 5 },
  });
});

test("a function may take its time", async () => {
  tools.register("wait", async () => "done");
  assert.equal((await tools.answer(call("wait"))).output, "done");
});

test("one function for all gets the name and the arguments as text", async () => {
  tools.functionHandler = ({ name, arguments: text }) => `${name} ${text}`;
  assert.equal((await tools.answer(call("any", '{"x": 1}'))).output, 'any {"x": 1}');
});

test("a function of its own goes before the one for all", async () => {
  tools.functionHandler = () => "all";
  tools.register("own", () => "own");
  assert.equal((await tools.answer(call("own"))).output, "own");
});

for (const [fault, prepare, text] of [
  ["throws", () => tools.register("f", () => JSON.parse("{")), "{}"],
  ["rejects", () => tools.register("f", () => Promise.reject(new Error("x"))), "{}"],
  ["is missing", () => {}, "{}"],
  ["gets broken arguments", () => tools.register("f", () => 1), "{"],
]) {
  test(`a function that ${fault} is answered with an error that tells nothing`, async () => {
    prepare();
    assert.deepEqual(await tools.answer(call("f", text)), {
      type: "tool.result",
      call_id: "c1",
      error: "failed",
    });
  });
}

test("a ToolError has words for the agent", async () => {
  tools.register("f", () => {
    throw Object.assign(new Error("The map is closed."), { name: "ToolError" });
  });
  assert.equal((await tools.answer(call("f"))).error, "The map is closed.");
});

test("what is no function is refused at once", () => {
  assert.throws(() => tools.register("f", "alert(1)"), TypeError);
});

test("a call that is asked for again after a cut runs once and is answered twice", async () => {
  const ran = [];
  const sent = [];
  let finish;
  tools.register("book", () => {
    ran.push(1);
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  const place = { root: null, words: {}, send: (answer) => sent.push(answer.output) };
  const message = { type: "tool.call", ...call("book") };
  const first = tools.take(message, place);
  await tools.cut();
  const again = tools.take(message, place);
  finish("booked");
  await Promise.all([first, again]);
  await tools.take(message, place);
  assert.deepEqual([ran.length, sent], [1, ["booked", "booked", "booked"]]);
});

test("a call that is over, or of a conversation that is, is another one", async () => {
  let ran = 0;
  tools.register("count", () => {
    ran += 1;
  });
  const place = { root: null, words: {}, send: () => {} };
  const message = { type: "tool.call", ...call("count") };
  await tools.take(message, place);
  await tools.take({ type: "tool.finished", call_id: "c1" }, place);
  await tools.take(message, place);
  await tools.end();
  await tools.take(message, place);
  assert.equal(ran, 3);
});
