import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import {
  configFrom,
  configOnPage,
} from "../../realtime_widget/static/realtime_widget/config.js";

const SRC = "https://site.example/realtime/widgets/support/config";
const CONFIG = { slug: "support", sessionUrl: "https://site.example/session" };

let asked;

/** Let every question be answered with this. */
function answerWith(body, status = 200) {
  globalThis.fetch = async (url, options) => {
    asked.push({ url, ...options });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), {
      status,
    });
  };
}

beforeEach(() => {
  asked = [];
  globalThis.document = {
    baseURI: "https://page.example/help/",
    getElementById: (id) => (id === "here" ? { textContent: '{"slug": "a"}' } : null),
  };
  answerWith(CONFIG);
});

test("a configuration beside the element is read from there", () => {
  assert.deepEqual(configOnPage("here"), { slug: "a" });
  assert.equal(configOnPage("elsewhere"), null);
  assert.equal(configOnPage(null), null);
});

test("it is asked for in the language of the page, without cookies elsewhere", async () => {
  assert.deepEqual(await configFrom(SRC, "de"), CONFIG);
  assert.deepEqual(asked, [{ url: `${SRC}?lang=de`, credentials: "same-origin" }]);
});

test("a language that stands in the address is kept", async () => {
  await configFrom(`${SRC}?lang=ar`, "de");
  await configFrom(SRC, "");
  assert.deepEqual(
    asked.map(({ url }) => url),
    [`${SRC}?lang=ar`, SRC],
  );
});

test("an address without a site is one of the page's", async () => {
  await configFrom("/realtime/widgets/support/config", "");
  assert.equal(asked[0].url, "https://page.example/realtime/widgets/support/config");
});

test("a refusal has the server's code and words", async () => {
  const error = { code: "no_widget", message: "Not here.", retryable: false };
  answerWith({ error }, 404);
  await assert.rejects(configFrom(SRC, ""), {
    code: "no_widget",
    words: "Not here.",
    retryable: false,
  });
});

test("a server that cannot be reached is a lost connection", async () => {
  globalThis.fetch = () => Promise.reject(new TypeError("blocked"));
  await assert.rejects(configFrom(SRC, ""), { code: "connection_lost" });
});

for (const other of ["<!doctype html>", "[]", "{}", "null"]) {
  test(`what is no configuration is refused: ${other}`, async () => {
    answerWith(other);
    await assert.rejects(configFrom(SRC, ""), { code: "internal" });
  });
}
