import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import {
  choose,
  chosen,
} from "../../realtime_widget/static/realtime_widget/choices.js";
import { setGlobal } from "./page.js";

let kept;

beforeEach(() => {
  kept = new Map();
  setGlobal("localStorage", {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
  });
});

test("nothing chosen is the system's devices at full volume", () => {
  assert.deepEqual(chosen(), { microphone: "", speaker: "", volume: 1 });
});

test("each choice is remembered beside the others", () => {
  choose({ microphone: "m1" });
  choose({ volume: 0.25 });
  assert.deepEqual(chosen(), { microphone: "m1", speaker: "", volume: 0.25 });
});

for (const [given, volume] of [
  [2, 1],
  [-1, 0],
  [Number.NaN, 1],
]) {
  test(`a volume of ${given} is ${volume}`, () => {
    choose({ volume: given });
    assert.equal(chosen().volume, volume);
  });
}

for (const text of ["", "no JSON", "null", '{"volume": "loud", "speaker": 5}']) {
  test(`what is no choice counts as none: ${text}`, () => {
    kept.set("realtime-widget:devices", text);
    assert.deepEqual(chosen(), { microphone: "", speaker: "", volume: 1 });
  });
}

test("a page without storage forgets and goes on", () => {
  const refuse = () => {
    throw new DOMException("no", "SecurityError");
  };
  setGlobal("localStorage", { getItem: refuse, setItem: refuse });
  assert.equal(choose({ volume: 0.5 }).volume, 0.5);
  assert.equal(chosen().volume, 1);
});
