/**
 * One call after another: microphone, speaker and socket around the session's state.
 *
 * Knows nothing of what a widget looks like; tells its owner what has changed.
 *
 * @typedef {object} CallEvents
 * @property {() => void} onChange The state or a flag is another.
 * @property {(message: Record<string, any>) => void} onMessage A server's message.
 * @property {(line: import("./transcript.js").Line, isFinal: boolean) => void} onLine
 * @property {() => void} onStarted
 * @property {(detail: {reason: string, duration_s: number}) => void} onStopped
 * @property {(failure: {code: string, words: string, retryable: boolean,
 *   fatal: boolean}) => void} onFailure
 *
 * @typedef {import("./audio/sound.js").SoundConfig &
 *   {sessionUrl: string, language: string}} CallConfig
 */

import { faultOf, Sound } from "./audio/sound.js";
import { Session } from "./session.js";
import { Transcript } from "./transcript.js";
import { SessionRefused, WebSocketTransport } from "./transports/websocket.js";

/** First words said while the connection opens are kept this long. */
const MAX_WAITING_MS = 6_000;
const REPORT_INTERVAL_MS = 250;
/** How long the server may take to say that the session has stopped. */
const GOODBYE_MS = 1_500;

export class Call {
  session = new Session();
  transcript = new Transcript();
  #events;
  /** @type {CallConfig} */
  #config;
  /** @type {WebSocketTransport | null} */
  #transport = null;
  /** @type {Sound | null} */
  #sound = null;
  /** @type {ArrayBuffer[]} */
  #waitingFrames = [];
  /** @type {Record<string, unknown>[]} */
  #waitingMessages = [];
  #reportedAtMs = 0;
  #capturedFrames = 0;
  #level = 0;
  #startedAtMs = 0;
  /** Calls that were stopped and wait for the server's word. */
  /** @type {Map<WebSocketTransport, () => void>} */
  #leaving = new Map();
  /** @type {Record<string, unknown>} */
  #lastStats = {};

  /**
   * @param {CallConfig} config
   * @param {CallEvents} events
   */
  constructor(config, events) {
    this.#config = config;
    this.#events = events;
  }

  /** Loudness of what is played, for the avatar. */
  get analyser() {
    return this.#sound?.analyser ?? null;
  }

  /** Loudness of what is said, 0 to 1. */
  get level() {
    return this.session.muted ? 0 : this.#level;
  }

  /**
   * Begin a call; must run in a gesture where the browser wants one.
   *
   * @param {{textOnly: boolean, variables?: Record<string, unknown>}} options
   */
  async start({ textOnly, variables = {} }) {
    if (this.session.active) return;
    const generation = this.session.start({ textOnly });
    this.transcript.clear();
    this.#waitingFrames = [];
    this.#capturedFrames = 0;
    this.#startedAtMs = 0;
    this.#events.onChange();
    try {
      if (!textOnly) await this.#openSound(generation);
      if (generation !== this.session.generation) return;
      await this.#connect(generation, variables);
    } catch (error) {
      if (generation === this.session.generation) this.#failed(error);
    }
  }

  /** End the call: silent at once, and the server is told. */
  stop() {
    if (!this.session.active) return;
    this.#transport?.send({ type: "session.stop" });
    this.#endSound();
    const transport = this.#transport;
    this.#transport = null;
    const detail = { reason: "user", duration_s: this.#durationS() };
    const wasStarted = this.session.started;
    this.session.end();
    this.#events.onChange();
    if (!wasStarted || !transport) {
      transport?.close();
      this.#events.onStopped(detail);
      return;
    }
    const leave = () => {
      if (!this.#leaving.delete(transport)) return;
      clearTimeout(timer);
      transport.close();
      this.#events.onStopped(detail);
    };
    const timer = setTimeout(leave, GOODBYE_MS);
    this.#leaving.set(transport, leave);
  }

  /** End the call without waiting: the page goes away. */
  abandon() {
    this.stop();
    for (const leave of this.#leaving.values()) leave();
  }

  /** Mute or unmute; holds for later calls too. */
  toggleMicrophone() {
    this.session.muted = !this.session.muted;
    if (this.#sound) this.#sound.muted = this.session.muted;
    this.#send({ type: "microphone", muted: this.session.muted });
    this.#events.onChange();
  }

  /**
   * Say something in writing; the words wait until the session has started.
   *
   * @param {string} text
   * @param {string} role
   */
  sendMessage(text, role) {
    const message = { type: "message", text, role };
    if (this.session.started) this.#send(message);
    else this.#waitingMessages.push(message);
  }

  /** @param {Record<string, unknown>} answer A `tool.result`. */
  answerTool(answer) {
    this.#send(answer);
  }

  /** Silence the answer. */
  async interrupt() {
    const heard = await this.#sound?.interrupt();
    this.session.setPlaying(false);
    this.#events.onChange();
    if (!heard) return;
    this.#send({
      type: "interrupt",
      item_id: heard.itemId,
      played_ms: heard.playedMs,
    });
  }

  /** Let sound run after the browser wanted a gesture; call it in one. */
  async unlock() {
    await this.#sound?.unlock();
    this.#soundChanged();
  }

  /** Counters for tests and for support. */
  getStats() {
    return { ...this.#lastStats, ...this.#sound?.stats, ...this.#transport?.stats };
  }

  // --- opening ---------------------------------------------------------------

  /** @param {number} generation */
  async #openSound(generation) {
    const sound = new Sound(this.#config, {
      onFrame: (frame, level) => this.#captured(generation, frame, level),
      onPosition: (position) => this.#position(generation, position),
      onMicrophoneLost: () => this.#notice("mic_missing"),
      onContextChange: () => this.#soundChanged(),
    });
    this.#sound = sound;
    sound.muted = this.session.muted;
    try {
      await sound.open();
    } catch (error) {
      if (generation !== this.session.generation) return;
      this.#sound = null;
      this.session.textOnly = true;
      this.session.microphoneReady();
      this.#notice(faultOf(error));
    }
    if (generation === this.session.generation) this.#soundChanged();
  }

  #soundChanged() {
    this.session.needsGesture = this.#sound?.blocked ?? false;
    this.#events.onChange();
  }

  /**
   * @param {number} generation
   * @param {Record<string, unknown>} variables
   */
  async #connect(generation, variables) {
    const transport = new WebSocketTransport({
      onMessage: (message) => {
        const leave = this.#leaving.get(transport);
        if (!leave) this.#take(message);
        else if (message.type === "session.stopped") leave();
      },
      onAudio: (audio) => {
        if (transport === this.#transport) this.#sound?.push(audio);
      },
      onClose: (code) => {
        const leave = this.#leaving.get(transport);
        if (leave) leave();
        else this.#closed(generation, code);
      },
    });
    this.#transport = transport;
    const wish = { language: this.#config.language, text_only: this.session.textOnly };
    await transport.connect(this.#config.sessionUrl, wish);
    if (generation !== this.session.generation) {
      transport.close();
      return;
    }
    transport.send({ type: "session.start", ...wish, variables });
  }

  // --- what comes in -----------------------------------------------------------

  /** @param {Record<string, any>} message */
  #take(message) {
    this.session.take(message);
    const handle = HANDLERS[message.type];
    if (handle) handle(this.#inside, message);
    this.#events.onMessage(message);
    this.#events.onChange();
  }

  /** What the table of handlers may touch. */
  #inside = {
    started: () => this.#started(),
    /** @param {Record<string, any>} message */
    stopped: (message) => this.#finish(message.reason, message.duration_s),
    /** @param {Record<string, any>} message */
    line: (message) => {
      const line = this.transcript.take(
        /** @type {import("./transcript.js").TranscriptMessage} */ (message),
      );
      this.#events.onLine(line, message.final === true);
    },
    /** @param {string} itemId */
    speak: (itemId) => {
      this.#sound?.speak(itemId);
    },
    /** @param {string} itemId */
    spoken: (itemId) => {
      this.#sound?.spoken(itemId);
    },
    /** @param {string} itemId */
    interrupted: (itemId) => this.#interrupted(itemId),
    /** @param {Record<string, any>} message */
    failure: (message) => {
      this.#events.onFailure({
        code: message.code,
        words: message.message ?? "",
        retryable: message.retryable === true,
        fatal: message.fatal === true,
      });
    },
  };

  #started() {
    this.#startedAtMs = performance.now();
    const frames = this.#waitingFrames;
    this.#waitingFrames = [];
    for (const frame of frames) this.#transport?.sendAudio(frame);
    if (this.session.muted) this.#send({ type: "microphone", muted: true });
    const messages = this.#waitingMessages;
    this.#waitingMessages = [];
    for (const message of messages) this.#send(message);
    this.#events.onStarted();
  }

  /** @param {string} itemId */
  async #interrupted(itemId) {
    const line = this.transcript.interrupt(itemId);
    const heard = await this.#sound?.interrupt();
    this.session.setPlaying(false);
    this.#send({
      type: "playback",
      item_id: itemId,
      played_ms: heard?.itemId === itemId ? heard.playedMs : 0,
      done: true,
    });
    if (line) this.#events.onLine(line, line.final);
    this.#events.onChange();
  }

  /**
   * @param {number} generation
   * @param {ArrayBuffer} frame
   * @param {number} level
   */
  #captured(generation, frame, level) {
    if (generation !== this.session.generation) return;
    this.#capturedFrames += 1;
    this.#level = level;
    if (this.#capturedFrames === 1) {
      this.session.microphoneReady();
      this.#events.onChange();
    }
    if (this.session.started) {
      this.#transport?.sendAudio(frame);
      return;
    }
    this.#waitingFrames.push(frame);
    const most = MAX_WAITING_MS / this.#config.audio.frameMs;
    if (this.#waitingFrames.length > most) this.#waitingFrames.shift();
  }

  /**
   * @param {number} generation
   * @param {{itemId: string, playedMs: number, done: boolean}} position
   */
  #position(generation, { itemId, playedMs, done }) {
    if (generation !== this.session.generation) return;
    const wasPlaying = this.session.state === "speaking";
    this.session.setPlaying(!done);
    if (done === wasPlaying) this.#events.onChange();
    const nowMs = performance.now();
    if (!done && nowMs - this.#reportedAtMs < REPORT_INTERVAL_MS) return;
    this.#reportedAtMs = nowMs;
    const played_ms = Math.floor(playedMs);
    this.#send({ type: "playback", item_id: itemId, played_ms, done });
  }

  // --- the end -----------------------------------------------------------------

  /** @param {unknown} error */
  #failed(error) {
    const refused = error instanceof SessionRefused ? error : null;
    const code = refused?.code ?? "internal";
    if (!refused) console.error(error);
    this.session.fail(code, { fatal: true, retryable: refused?.retryable ?? true });
    this.#events.onFailure({
      code,
      words: refused?.words ?? "",
      retryable: refused?.retryable ?? true,
      fatal: true,
    });
    this.#finish("error", 0);
  }

  /**
   * @param {number} generation
   * @param {number} code
   */
  #closed(generation, code) {
    if (generation !== this.session.generation) return;
    const error = Session.errorOfClose(code);
    if (error && !this.session.failure?.fatal) {
      const fatal = { fatal: true };
      this.session.fail(error, fatal);
      const { retryable } = /** @type {import("./session.js").Failure} */ (
        this.session.failure
      );
      this.#events.onFailure({ code: error, words: "", retryable, fatal: true });
    }
    this.#finish(Session.reasonOfClose(code), this.#durationS());
  }

  /**
   * @param {string} reason
   * @param {number} durationS
   */
  #finish(reason, durationS) {
    if (!this.session.active) return;
    this.#endSound();
    this.#transport?.close();
    this.#transport = null;
    this.session.end();
    this.#events.onChange();
    this.#events.onStopped({ reason, duration_s: durationS });
  }

  #endSound() {
    this.#lastStats = this.getStats();
    this.#sound?.close();
    this.#sound = null;
    this.#level = 0;
  }

  #durationS() {
    return this.#startedAtMs ? (performance.now() - this.#startedAtMs) / 1000 : 0;
  }

  /** @param {string} code */
  #notice(code) {
    this.#events.onFailure({ code, words: "", retryable: false, fatal: false });
    this.#events.onChange();
  }

  /** @param {Record<string, unknown>} message */
  #send(message) {
    this.#transport?.send(message);
  }
}

/**
 * What the call does for each message; everything else only changes the state.
 *
 * @type {Record<string, (call: any, message: Record<string, any>) => void>}
 */
const HANDLERS = {
  "session.started": (call) => call.started(),
  "session.stopped": (call, message) => call.stopped(message),
  transcript: (call, message) => call.line(message),
  "audio.start": (call, message) => call.speak(message.item_id),
  "audio.end": (call, message) => call.spoken(message.item_id),
  "audio.interrupted": (call, message) => call.interrupted(message.item_id),
  error: (call, message) => call.failure(message),
};
