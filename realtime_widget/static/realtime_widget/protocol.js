/**
 * The words of the browser protocol `realtime-widget.v1`.
 *
 * The counterpart of `realtime_widget/protocol/browser.py`; a test compares the two.
 */

/** Of the package these files came with; the server tells its own. */
export const VERSION = "0.1.0";
export const PROTOCOL = "realtime-widget.v1";
export const TOKEN_PREFIX = "token.";
/** The page's own close code: nobody answers it, and it will be back. */
export const GIVEN_UP = 4000;

export const STATES = ["connecting", "listening", "hearing", "thinking", "speaking"];

export const STOP_REASONS = [
  "user",
  "idle",
  "time_limit",
  "quota",
  "upstream",
  "error",
  "replaced",
  "draining",
];

export const FROM_BROWSER = [
  "session.start",
  "session.update",
  "session.stop",
  "message",
  "turn.start",
  "turn.commit",
  "turn.cancel",
  "microphone",
  "interrupt",
  "playback",
  "tool.result",
  "tool.approval",
  "feedback",
  "ping",
];

export const FROM_SERVER = [
  "session.started",
  "session.updated",
  "session.stopped",
  "state",
  "speech.started",
  "speech.stopped",
  "transcript",
  "audio.start",
  "audio.end",
  "audio.interrupted",
  "tool.started",
  "tool.finished",
  "tool.call",
  "tool.approval_required",
  "handoff",
  "guardrail",
  "usage",
  "warning",
  "error",
  "pong",
];

/** @type {Record<string, number>} */
export const CLOSE_CODES = {
  NORMAL: 1000,
  BAD_MESSAGE: 4400,
  TOKEN: 4401,
  FORBIDDEN: 4403,
  NO_WIDGET: 4404,
  IDLE: 4408,
  REPLACED: 4409,
  TIME_LIMIT: 4410,
  LIMIT: 4429,
  ERROR: 4500,
  UPSTREAM: 4502,
  DRAINING: 4503,
};

/** @type {Record<string, {retryable: boolean, fatal: boolean}>} */
export const ERRORS = {
  unknown_type: { retryable: false, fatal: false },
  forbidden: { retryable: false, fatal: false },
  invalid_field: { retryable: false, fatal: false },
  text_too_long: { retryable: false, fatal: false },
  bad_picture: { retryable: false, fatal: false },
  too_fast: { retryable: true, fatal: false },
  turn_too_short: { retryable: true, fatal: false },
  response_failed: { retryable: true, fatal: false },
  voice_unavailable: { retryable: false, fatal: false },
  bad_message: { retryable: true, fatal: true },
  token: { retryable: true, fatal: true },
  origin: { retryable: false, fatal: true },
  no_widget: { retryable: false, fatal: true },
  consent: { retryable: true, fatal: true },
  limit: { retryable: true, fatal: true },
  idle: { retryable: true, fatal: true },
  replaced: { retryable: true, fatal: true },
  time_limit: { retryable: true, fatal: true },
  draining: { retryable: true, fatal: true },
  internal: { retryable: true, fatal: true },
  not_configured: { retryable: true, fatal: true },
  upstream_auth: { retryable: true, fatal: true },
  upstream_quota: { retryable: true, fatal: true },
  upstream_refused: { retryable: true, fatal: true },
  upstream_unreachable: { retryable: true, fatal: true },
  upstream_lost: { retryable: true, fatal: true },
  upstream_error: { retryable: true, fatal: true },
};

/** What a close code says when no `error` message came before it. */
/** @type {Record<number, string>} */
export const ERROR_OF_CLOSE = {
  4400: "bad_message",
  4401: "token",
  4403: "origin",
  4404: "no_widget",
  4408: "idle",
  4409: "replaced",
  4410: "time_limit",
  4429: "limit",
  4500: "internal",
  4502: "upstream_error",
  4503: "draining",
};

/** Why the session stopped, for a close code without `session.stopped` before it. */
/** @type {Record<number, string>} */
export const REASON_OF_CLOSE = {
  1000: "user",
  4408: "idle",
  4409: "replaced",
  4410: "time_limit",
  4429: "quota",
  4502: "upstream",
  4503: "draining",
};
