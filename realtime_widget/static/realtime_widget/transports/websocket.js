/**
 * The way to the server: one POST for a token, then one WebSocket.
 *
 * @typedef {object} TransportEvents
 * @property {(message: Record<string, any>) => void} onMessage
 * @property {(audio: ArrayBuffer) => void} onAudio
 * @property {(code: number) => void} onClose
 *
 * @typedef {object} SessionWish
 * @property {string} language
 * @property {boolean} text_only
 * @property {string} [resume] Names the conversation it goes on with, "" for none.
 */

import { GIVEN_UP, PROTOCOL, TOKEN_PREFIX } from "../protocol.js";
import { ask } from "./asking.js";

/** More than this unsent means the network does not keep up; audio is dropped then. */
const MAX_BUFFERED_BYTES = 256 * 1024;
const PING_INTERVAL_MS = 5_000;
/** So many pings in a row without a word mean that nobody is there any more. */
const SILENT_PINGS = 3;
/** Where the browser itself says that the network is gone, less is enough. */
const PROBE_MS = 2_000;
/** What a browser says of a connection that broke. */
const LOST = 1006;
const NORMAL = 1000;

/**
 * Ask for a token.
 *
 * @param {string} url
 * @param {SessionWish} wish
 */
function openSession(url, wish) {
  return ask(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(wish),
  });
}

export class WebSocketTransport {
  /** `droppedFrames` were not sent because the network did not keep up. */
  stats = { sentFrames: 0, droppedFrames: 0, latencyMs: 0 };
  /** @type {WebSocket | null} */
  #socket = null;
  /** Who hears of it; may be replaced. */
  events;
  #closed = false;
  /** Pings since anything was heard. */
  #unanswered = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #pings;

  /** @param {TransportEvents} events */
  constructor(events) {
    this.events = events;
  }

  /**
   * Open the session's socket.
   *
   * @param {string} sessionUrl
   * @param {SessionWish} wish
   * @throws {SessionRefused}
   */
  async connect(sessionUrl, wish) {
    const { token, url } = await openSession(sessionUrl, wish);
    if (this.#closed) return;
    const socket = new WebSocket(url, [PROTOCOL, TOKEN_PREFIX + token]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(data);
    const opened = new Promise((resolve) => {
      socket.onopen = resolve;
      socket.onclose = ({ code }) => {
        resolve(undefined);
        this.#gone(code);
      };
    });
    await opened;
    if (this.#closed) return;
    this.#pings = setInterval(() => {
      if (this.#unanswered >= SILENT_PINGS) this.#lose();
      else this.#ping();
    }, PING_INTERVAL_MS);
  }

  /** @param {Record<string, unknown>} message */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
    }
  }

  /** @param {ArrayBuffer} frame */
  sendAudio(frame) {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.stats.droppedFrames += 1;
    } else {
      socket.send(frame);
      this.stats.sentFrames += 1;
    }
  }

  /** Find out soon whether anybody is there: the network is said to be gone. */
  probe() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#ping();
    setTimeout(() => {
      if (this.#unanswered) this.#lose();
    }, PROBE_MS);
  }

  /** Close without hearing of it again; `code` says why. */
  close(code = NORMAL) {
    this.#closed = true;
    clearInterval(this.#pings);
    const socket = this.#socket;
    if (!socket) return;
    socket.onmessage = null;
    socket.close(code);
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    this.#unanswered = 0;
    if (typeof data !== "string") {
      this.events.onAudio(data);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "pong") this.stats.latencyMs = performance.now() - message.t;
    else this.events.onMessage(message);
  }

  /** @param {number} code */
  #gone(code) {
    clearInterval(this.#pings);
    if (this.#closed) return;
    this.#closed = true;
    this.events.onClose(code);
  }

  #ping() {
    this.#unanswered += 1;
    this.send({ type: "ping", t: performance.now() });
  }

  /** Nobody answers: do not wait until the system finds out. */
  #lose() {
    if (this.#closed) return;
    const { onClose } = this.events;
    this.close(GIVEN_UP);
    onClose(LOST);
  }
}
