/** The page's own tables; that they say what the server says is tested beside it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import * as protocol from "../../realtime_widget/static/realtime_widget/protocol.js";

const { CLOSE_CODES, ERROR_OF_CLOSE, ERRORS, REASON_OF_CLOSE, STOP_REASONS } = protocol;

test("every close code but the normal one has an error that ends the session", () => {
  const codes = Object.values(CLOSE_CODES).filter((code) => code !== 1000);
  assert.deepEqual(Object.keys(ERROR_OF_CLOSE).map(Number), codes);
  for (const error of Object.values(ERROR_OF_CLOSE)) {
    assert.equal(ERRORS[error]?.fatal, true, error);
  }
});

test("every close code that has a reason has one of the known ones", () => {
  const codes = new Set(Object.values(CLOSE_CODES));
  for (const [code, reason] of Object.entries(REASON_OF_CLOSE)) {
    assert.ok(codes.has(Number(code)), code);
    assert.ok(STOP_REASONS.includes(reason), reason);
  }
});

test("token and protocol are names that a subprotocol may have", () => {
  for (const name of [protocol.PROTOCOL, `${protocol.TOKEN_PREFIX}abc-_.Z9`]) {
    assert.match(name, /^[A-Za-z0-9._-]+$/);
  }
});
