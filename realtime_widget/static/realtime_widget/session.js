/**
 * One call's state in the page. Pure: no page, no socket, no clock.
 *
 * The server says what it does (`state`); the page knows whether its microphone runs,
 * whether the browser wants a gesture, and whether sound is still being played. What
 * the visitor is shown is derived from all of it.
 *
 * @typedef {"idle" | "connecting" | "reconnecting" | "needs-gesture" | "listening" | "hearing" |
 *   "thinking" | "speaking" | "error"} WidgetState
 *
 * @typedef {object} Failure
 * @property {string} code
 * @property {boolean} retryable
 * @property {boolean} fatal
 */

import { ERROR_OF_CLOSE, ERRORS, REASON_OF_CLOSE, STATES } from "./protocol.js";

export class Session {
  /** Bumped by every start and stop: what belongs to an older one is ignored. */
  generation = 0;
  /** Whether a call is wanted, from the press of the button to its end. */
  active = false;
  /** Whether the server has said `session.started`. */
  started = false;
  /** Whether the connection is lost and is being made anew. */
  reconnecting = false;
  muted = false;
  textOnly = false;
  needsGesture = false;
  sessionId = "";
  /** How turns end, as the server says: `none` is a key of the page. */
  turnDetection = "";
  /** The share that is loaded of what the server has to load first; 0: nothing is. */
  progress = 0;
  /** @type {Failure | null} */
  failure = null;
  #serverState = "connecting";
  #microphoneReady = false;
  #playing = false;

  /** @returns {WidgetState} What to show. */
  get state() {
    if (!this.active) return this.failure?.fatal ? "error" : "idle";
    if (this.reconnecting) return "reconnecting";
    if (this.needsGesture) return "needs-gesture";
    if (!this.started || !this.#microphoneReady) return "connecting";
    // The server has sent all audio long before it is heard.
    if (this.#playing && this.#serverState !== "hearing") return "speaking";
    const state = this.#serverState === "connecting" ? "listening" : this.#serverState;
    return /** @type {WidgetState} */ (state);
  }

  /**
   * Begin a call.
   *
   * @param {{textOnly: boolean}} options
   * @returns {number} Its generation.
   */
  start({ textOnly }) {
    this.generation += 1;
    this.active = true;
    this.started = false;
    this.reconnecting = false;
    this.textOnly = textOnly;
    this.needsGesture = false;
    this.sessionId = "";
    this.turnDetection = "";
    this.progress = 0;
    this.failure = null;
    this.#serverState = "connecting";
    this.#microphoneReady = textOnly;
    this.#playing = false;
    return this.generation;
  }

  /** The connection is lost: whatever the server said of the state is over. */
  cut() {
    this.started = false;
    this.reconnecting = true;
    this.progress = 0;
    this.failure = null;
    this.#serverState = "connecting";
  }

  /** Whether turns begin and end by a key: push-to-talk. */
  get byKey() {
    return this.turnDetection === "none" && !this.textOnly;
  }

  /** The first frame of the microphone has arrived, or none is needed any more. */
  microphoneReady() {
    this.#microphoneReady = true;
  }

  /** @param {boolean} playing Whether sound comes out. */
  setPlaying(playing) {
    this.#playing = playing;
  }

  /**
   * Take what a message of the server says about the state.
   *
   * @param {Record<string, any>} message
   */
  take(message) {
    if (message.type === "session.started") {
      this.started = true;
      this.reconnecting = false;
      this.sessionId = message.session_id ?? "";
      this.turnDetection = message.turn_detection ?? "";
    } else if (message.type === "session.updated") {
      this.turnDetection = message.config?.turn_detection ?? this.turnDetection;
    } else if (message.type === "state" && STATES.includes(message.state)) {
      this.#serverState = message.state;
      this.progress = message.progress ?? 0;
    } else if (message.type === "error") {
      this.fail(message.code, message);
    }
  }

  /**
   * Note a failure.
   *
   * @param {string} code
   * @param {{retryable?: boolean, fatal?: boolean}} [given] Overrides the table.
   */
  fail(code, given = {}) {
    const known = ERRORS[code] ?? { retryable: true, fatal: true };
    this.failure = {
      code,
      retryable: given.retryable ?? known.retryable,
      fatal: given.fatal ?? known.fatal,
    };
  }

  /** End the call; what failed before stays to be seen. */
  end() {
    this.generation += 1;
    this.active = false;
    this.started = false;
    this.reconnecting = false;
    this.needsGesture = false;
    this.#playing = false;
  }

  /**
   * Say why a socket closed without words.
   *
   * @param {number} code
   * @returns {string} A code of the error table, "" for a normal end.
   */
  static errorOfClose(code) {
    if (code === 1000) return "";
    return ERROR_OF_CLOSE[code] ?? "connection_lost";
  }

  /**
   * Say why a session is over whose socket closed without words.
   *
   * @param {number} code
   */
  static reasonOfClose(code) {
    return REASON_OF_CLOSE[code] ?? "error";
  }
}
