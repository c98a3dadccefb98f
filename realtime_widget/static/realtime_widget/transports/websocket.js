/**
 * The way to the server: one POST for a token, then one WebSocket.
 *
 * @typedef {object} TransportEvents
 * @property {(message: Record<string, any>) => void} onMessage
 * @property {(audio: ArrayBuffer) => void} onAudio
 * @property {(code: number) => void} onClose
 */

import { PROTOCOL, TOKEN_PREFIX } from "../protocol.js";

/** More than this unsent means the network does not keep up; audio is dropped then. */
const MAX_BUFFERED_BYTES = 256 * 1024;
const PING_INTERVAL_MS = 15_000;

/** The server refused what the page asked for, in its own words. */
export class SessionRefused extends Error {
  /** @param {{code: string, message?: string, retryable?: boolean}} body */
  constructor({ code, message = "", retryable = true }) {
    super(code);
    this.code = code;
    this.words = message;
    this.retryable = retryable;
  }
}

/**
 * Ask the server by HTTP; cookies go to the page's own site only.
 *
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<Record<string, any>>} The answer's JSON.
 * @throws {SessionRefused}
 */
export async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, { ...options, credentials: "same-origin" });
  } catch {
    throw new SessionRefused({ code: "connection_lost" });
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new SessionRefused(body.error ?? { code: "internal" });
  return body;
}

/**
 * Ask for a token.
 *
 * @param {string} url
 * @param {{language: string, text_only: boolean}} wish
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
  #events;
  #closed = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #pings;

  /** @param {TransportEvents} events */
  constructor(events) {
    this.#events = events;
  }

  /**
   * Open the session's socket.
   *
   * @param {string} sessionUrl
   * @param {{language: string, text_only: boolean}} wish
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
      this.send({ type: "ping", t: performance.now() });
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

  /** Close without hearing of it again. */
  close() {
    this.#closed = true;
    clearInterval(this.#pings);
    const socket = this.#socket;
    if (!socket) return;
    socket.onmessage = null;
    socket.close(1000);
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    if (typeof data !== "string") {
      this.#events.onAudio(data);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "pong") this.stats.latencyMs = performance.now() - message.t;
    else this.#events.onMessage(message);
  }

  /** @param {number} code */
  #gone(code) {
    clearInterval(this.#pings);
    if (this.#closed) return;
    this.#closed = true;
    this.#events.onClose(code);
  }
}
