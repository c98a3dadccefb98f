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
