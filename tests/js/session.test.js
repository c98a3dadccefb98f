import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Session } from "../../realtime_widget/static/realtime_widget/session.js";

let session;

beforeEach(() => {
  session = new Session();
});

/** A session in which microphone and server are ready. */
function listening() {
  session.start({ textOnly: false });
  session.microphoneReady();
  session.take({ type: "session.started", session_id: "s1" });
  session.take({ type: "state", state: "listening" });
}

test("before anything it is idle", () => {
  assert.equal(session.state, "idle");
  assert.equal(session.active, false);
});

test("the press of the button shows at once", () => {
  session.start({ textOnly: false });
  assert.equal(session.state, "connecting");
  assert.equal(session.active, true);
});

test("it listens only when both the server and the microphone are there", () => {
  session.start({ textOnly: false });
  session.take({ type: "session.started", session_id: "s1" });
  assert.equal(session.state, "connecting");
  session.microphoneReady();
  assert.equal(session.state, "listening");
  assert.equal(session.sessionId, "s1");
});

test("the microphone alone is not enough", () => {
  session.start({ textOnly: false });
  session.microphoneReady();
  assert.equal(session.state, "connecting");
});

test("a session by text waits for no microphone", () => {
  session.start({ textOnly: true });
  session.take({ type: "session.started" });
  assert.equal(session.state, "listening");
});

for (const state of ["listening", "hearing", "thinking", "speaking"]) {
  test(`the server's ${state} is shown`, () => {
    listening();
    session.take({ type: "state", state });
    assert.equal(session.state, state);
  });
}

test("a state that is not in the protocol changes nothing", () => {
  listening();
  session.take({ type: "state", state: "dancing" });
  assert.equal(session.state, "listening");
});

test("it speaks until the sound has ended, whatever the server says", () => {
  listening();
  session.take({ type: "state", state: "speaking" });
  session.setPlaying(true);
  session.take({ type: "state", state: "listening" });
  assert.equal(session.state, "speaking");
  session.setPlaying(false);
  assert.equal(session.state, "listening");
});

test("a visitor who cuts in is heard although sound still fades", () => {
  listening();
  session.setPlaying(true);
  session.take({ type: "state", state: "hearing" });
  assert.equal(session.state, "hearing");
});

test("a browser that wants a gesture is shown before everything else", () => {
  listening();
  session.needsGesture = true;
  assert.equal(session.state, "needs-gesture");
  session.needsGesture = false;
  assert.equal(session.state, "listening");
});

test("a passing error leaves the session as it is", () => {
  listening();
  session.take({ type: "error", code: "too_fast", retryable: true, fatal: false });
  assert.equal(session.state, "listening");
  assert.equal(session.failure.code, "too_fast");
});

test("a fatal error is shown when the session has ended", () => {
  listening();
  session.take({ type: "error", code: "upstream_lost", retryable: true, fatal: true });
  session.end();
  assert.equal(session.state, "error");
  assert.deepEqual(session.failure, {
    code: "upstream_lost",
    retryable: true,
    fatal: true,
  });
});

test("an error without its flags takes them from the table", () => {
  session.fail("no_widget");
  assert.deepEqual(session.failure, {
    code: "no_widget",
    retryable: false,
    fatal: true,
  });
});

test("an unknown error ends the session and may be tried again", () => {
  session.fail("brand_new");
  assert.deepEqual(session.failure, {
    code: "brand_new",
    retryable: true,
    fatal: true,
  });
});

test("a new start forgets the failure and what was before", () => {
  listening();
  session.fail("internal");
  session.end();
  session.start({ textOnly: false });
  assert.equal(session.failure, null);
  assert.equal(session.state, "connecting");
  assert.equal(session.sessionId, "");
});

test("mute holds from one session to the next", () => {
  session.muted = true;
  listening();
  session.end();
  session.start({ textOnly: false });
  assert.equal(session.muted, true);
});

test("every start and every end is a generation of its own", () => {
  const first = session.start({ textOnly: false });
  session.end();
  const second = session.start({ textOnly: false });
  assert.ok(second > first + 1);
  assert.equal(session.generation, second);
});

for (const [code, error, reason] of [
  [1000, "", "user"],
  [1001, "connection_lost", "error"],
  [1006, "connection_lost", "error"],
  [4401, "token", "error"],
  [4404, "no_widget", "error"],
  [4408, "idle", "idle"],
  [4409, "replaced", "replaced"],
  [4410, "time_limit", "time_limit"],
  [4429, "limit", "quota"],
  [4502, "upstream_error", "upstream"],
  [4503, "draining", "draining"],
]) {
  test(`close code ${code} means ${error || "no error"}, for the reason ${reason}`, () => {
    assert.equal(Session.errorOfClose(code), error);
    assert.equal(Session.reasonOfClose(code), reason);
  });
}
