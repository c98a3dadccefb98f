/**
 * The way to a session, and the way back to it after a cut.
 *
 * @typedef {object} LinkEvents
 * @property {(message: Record<string, any>) => void} onMessage
 * @property {(audio: ArrayBuffer) => void} onAudio
 * @property {() => void} onCut It is lost, and being made anew.
 * @property {(code: number) => void} onClosed It is over, by this close code.
 * @property {(error: unknown) => void} onRefused It is over before it began.
 *
 * @typedef {object} Wish
 * @property {string} language
 * @property {boolean} text_only
 */

import { isCut, mayPass, Retries } from "./reconnecting.js";
import { SessionRefused } from "./transports/asking.js";
import { WebSocketTransport } from "./transports/websocket.js";

/** A try that is not through by then is given up for the next. */
const TRY_MS = 10_000;
/** How long the server may take to say that the session has stopped. */
const GOODBYE_MS = 1_500;
const LOST = 1006;
const DRAINING = 4503;

export class Link {
  /** Names the conversation to the server; it gives a new one with every session. */
  resume;
  #url;
  #events;
  /** @type {Wish} */
  #wish = { language: "", text_only: false };
  /** @type {Record<string, unknown>} */
  #variables = {};
  /** @type {WebSocketTransport | null} */
  #transport = null;
  /** @type {Retries | null} */
  #retries = null;
  #started = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {(() => void) | null} */
  #onGone = null;
  #onOnline = () => this.#retryNow();
  #onOffline = () => this.#transport?.probe();

  /**
   * @param {string} url
   * @param {LinkEvents} events
   * @param {string} resume Of an earlier session, "" for a new conversation.
   */
  constructor(url, events, resume) {
    this.#url = url;
    this.#events = events;
    this.resume = resume;
    window.addEventListener("online", this.#onOnline);
    window.addEventListener("offline", this.#onOffline);
  }

  get stats() {
    return this.#transport?.stats;
  }

  /**
   * Open the session.
   *
   * @param {Wish} wish
   * @param {Record<string, unknown>} variables What the page tells the agent.
   */
  async open(wish, variables) {
    this.#wish = wish;
    this.#variables = variables;
    await this.#try();
  }

  /** @param {Record<string, unknown>} message */
  send(message) {
    this.#transport?.send(message);
  }

  /** @param {ArrayBuffer} frame */
  sendAudio(frame) {
    this.#transport?.sendAudio(frame);
  }

  /** Close without hearing of it again; the conversation may be gone on with. */
  close() {
    clearTimeout(this.#timer);
    window.removeEventListener("online", this.#onOnline);
    window.removeEventListener("offline", this.#onOffline);
    this.#transport?.close();
    this.#transport = null;
  }

  /**
   * End the session and wait for the server's word, for a while.
   *
   * @param {() => void} onGone Called once; at once where there is no session.
   */
  leave(onGone) {
    const transport = this.#transport;
    this.#transport = null;
    this.close();
    const end = () => {
      if (this.#onGone !== end) return;
      this.#onGone = null;
      clearTimeout(this.#timer);
      transport?.close();
      onGone();
    };
    this.#onGone = end;
    if (!transport || !this.#started) {
      end();
      return;
    }
    this.#timer = setTimeout(end, GOODBYE_MS);
    transport.events = {
      onMessage: ({ type }) => {
        if (type === "session.stopped") end();
      },
      onAudio: () => {},
      onClose: end,
    };
    transport.send({ type: "session.stop" });
  }

  /** Wait for the server's word no longer. */
  hurry() {
    this.#onGone?.();
  }

  async #try() {
    const transport = new WebSocketTransport({
      onMessage: (message) => this.#take(message),
      onAudio: (audio) => this.#events.onAudio(audio),
      onClose: (code) => this.#closed(code),
    });
    this.#transport = transport;
    if (this.#retries) {
      this.#timer = setTimeout(() => this.#tryAgain(), TRY_MS);
    }
    try {
      await transport.connect(this.#url, { ...this.#wish, resume: this.resume });
    } catch (error) {
      if (transport === this.#transport) this.#refused(error);
      return;
    }
    if (transport !== this.#transport) {
      transport.close();
      return;
    }
    clearTimeout(this.#timer);
    const resume = this.resume ? { resume: this.resume } : {};
    const start = { ...this.#wish, variables: this.#variables, ...resume };
    transport.send({ type: "session.start", ...start });
  }

  /** @param {Record<string, any>} message */
  #take(message) {
    const drains = message.code === "draining" || message.reason === "draining";
    if (message.type === "error" && drains) return;
    if (message.type === "session.stopped" && drains) {
      this.#cut();
      return;
    }
    if (message.type === "session.started") {
      this.#started = true;
      this.#retries = null;
      this.resume = message.resume ?? "";
    }
    this.#events.onMessage(message);
  }

  /** @param {number} code */
  #closed(code) {
    const comesBack = this.#started || this.#retries || code === DRAINING;
    if (comesBack && isCut(code, this.#retries !== null)) this.#cut();
    else this.#over(() => this.#events.onClosed(code));
  }

  /** @param {unknown} error */
  #refused(error) {
    const code = error instanceof SessionRefused ? error.code : "";
    const drains = code === "draining";
    if (drains || (this.#retries && mayPass(code))) this.#cut();
    else this.#over(() => this.#events.onRefused(error));
  }

  /** @param {() => void} tell */
  #over(tell) {
    this.close();
    tell();
  }

  #cut() {
    this.#started = false;
    if (!this.#retries) {
      this.#retries = new Retries(performance.now());
      this.#events.onCut();
    }
    this.#tryAgain();
  }

  /** Give up the try that runs, and try again in a moment. */
  #tryAgain() {
    clearTimeout(this.#timer);
    this.#transport?.close();
    this.#transport = null;
    const waitMs = this.#retries?.next(performance.now(), Math.random());
    if (waitMs === undefined) return;
    if (waitMs === null) this.#over(() => this.#events.onClosed(LOST));
    else this.#timer = setTimeout(() => this.#try(), waitMs);
  }

  /** The network is back: why wait. */
  #retryNow() {
    if (!this.#retries || this.#transport) return;
    clearTimeout(this.#timer);
    this.#try();
  }
}
