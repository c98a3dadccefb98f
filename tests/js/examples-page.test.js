// The page's function of the documentation's examples, run as it stands there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { PageTools } from "../../realtime_widget/static/realtime_widget/page-tools.js";

const page = readFileSync(
  new URL("../../docs/howto/agents.md", import.meta.url),
  "utf-8",
);
const [, code] = page.match(/^```js\n(.*?)^```$/ms);

for (const [location, temperature] of [
  ["Tokyo", "10"],
  ["San Francisco", "72"],
  ["Rome", "22"],
]) {
  test(`the example of the page tells the weather in ${location}`, async () => {
    const tools = new PageTools();
    new Function("document", code)({ querySelector: () => tools });
    const text = JSON.stringify({ location });
    const call = { call_id: "c1", name: "get_current_weather", arguments: text };
    const { output } = await tools.answer(call);
    assert.equal(output.temperature, temperature);
  });
}
