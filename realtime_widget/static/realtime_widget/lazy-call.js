/**
 * The call of a widget, whose parts are loaded by the first press of its button.
 *
 * Until they are there it keeps what the visitor has already done: started, muted,
 * typed, changed their mind.
 *
 * @typedef {Pick<import("./session.js").Session, "state" | "active" | "muted" |
 *   "textOnly" | "progress" | "sessionId">} SessionView
 */

import { forget, keep, leftBehind } from "./resume-store.js";

/** @param {boolean} textOnly Whether nothing of it will be heard. */
function load(textOnly) {
  const voice = textOnly ? null : import("./audio/sound.js");
  return Promise.all([import("./call.js"), import("./announcing.js"), voice]);
}

export class LazyCall {
  #config;
  #events;
  /** @type {import("./call.js").Call | null} */
  #call = null;
  /** @type {typeof import("./announcing.js") | null} */
  #announcing = null;
  #muted = false;
  #starting = false;
  #failed = false;
  /** Bumped by every start and stop before there is a call. */
  #generation = 0;
  /** @type {[string, string, import("./saying.js").Picture | undefined][]} */
  #messages = [];

  /**
   * @param {Record<string, any>} config
   * @param {Omit<import("./call.js").CallEvents, "onResumable">} events
   * @param {boolean} muted
   */
  constructor(config, events, muted) {
    this.#config = config;
    this.#events = events;
    this.#muted = muted;
  }

  /** Null before the first start. */
  get call() {
    return this.#call;
  }

  /** How the page is told of what is said; null before the first start. */
  get announcing() {
    return this.#announcing;
  }

  /** @returns {SessionView} */
  get session() {
    if (this.#call && !this.#starting) return this.#call.session;
    const idle = this.#failed ? "error" : "idle";
    return {
      state: this.#starting ? "connecting" : idle,
      active: this.#starting,
      muted: this.#call?.session.muted ?? this.#muted,
      textOnly: this.#config.textOnly === true,
      progress: 0,
      sessionId: "",
    };
  }

  get lines() {
    return this.#call?.transcript.lines ?? [];
  }

  get key() {
    return this.#call?.key ?? { shown: false, ready: false, held: false };
  }

  /** @returns {{analyser: AnalyserNode | null, level: number}} */
  get levels() {
    return { analyser: this.#call?.analyser ?? null, level: this.#call?.level ?? 0 };
  }

  /**
   * Begin a call; must run in a gesture where the browser wants one.
   *
   * @param {{textOnly: boolean, variables?: Record<string, unknown>, resume?: string}}
   *   options
   */
  async start(options) {
    if (this.session.active) return;
    this.#generation += 1;
    const generation = this.#generation;
    this.#starting = true;
    this.#failed = false;
    this.#events.onChange();
    try {
      await this.#load(options.textOnly);
    } catch {
      if (generation === this.#generation) this.#notLoaded();
      return;
    }
    if (generation !== this.#generation) return;
    this.#starting = false;
    await this.#call?.start(options);
  }

  /** End the call: silent at once, and the server is told. */
  stop() {
    if (!this.#starting) {
      this.#call?.stop();
      return;
    }
    this.#generation += 1;
    this.#starting = false;
    this.#messages = [];
    this.#events.onChange();
    this.#events.onStopped({ reason: "user", duration_s: 0 });
  }

  /**
   * End the call without waiting: the page, or the element, goes away. The next one may
   * go on with it.
   */
  abandon() {
    if (this.#starting) this.stop();
    this.#call?.abandon(this.#config.resumeAcrossPages === true);
  }

  /** Go on with what another page of this tab has left behind, if it has. */
  resume() {
    const { slug, resumeAcrossPages } = this.#config;
    const left = resumeAcrossPages ? leftBehind(slug) : null;
    if (!left || this.session.active) return null;
    if (left.muted && !this.session.muted) this.toggleMicrophone();
    return { textOnly: left.textOnly, resume: left.token };
  }

  /** Mute or unmute; holds for later calls too. */
  toggleMicrophone() {
    if (this.#call) {
      this.#call.toggleMicrophone();
      return;
    }
    this.#muted = !this.#muted;
    this.#events.onChange();
  }

  /**
   * Say something in writing; the words wait until the session has started.
   *
   * @param {string} text
   * @param {string} role
   * @param {import("./saying.js").Picture} [picture]
   */
  sendMessage(text, role, picture) {
    if (this.#call) this.#call.sendMessage(text, role, picture);
    else this.#messages.push([text, role, picture]);
  }

  /** @param {boolean} textOnly */
  async #load(textOnly) {
    const [{ Call }, announcing] = await load(textOnly);
    if (this.#call) return;
    const { slug, resumeAcrossPages } = this.#config;
    const call = new Call(/** @type {any} */ (this.#config), {
      ...this.#events,
      onResumable: (left, isHeld) => {
        if (!left) forget(slug);
        else if (resumeAcrossPages) keep(slug, left, isHeld);
      },
    });
    call.session.muted = this.#muted;
    for (const message of this.#messages.splice(0)) call.sendMessage(...message);
    this.#announcing = announcing;
    this.#call = call;
  }

  #notLoaded() {
    this.#starting = false;
    this.#failed = true;
    const code = "connection_lost";
    this.#events.onFailure({ code, words: "", retryable: true, fatal: true });
    this.#events.onStopped({ reason: "error", duration_s: 0 });
  }
}

/** Elements whose parts were asked for. */
const warmed = new WeakSet();

/**
 * Load a call's parts before the press: when the visitor comes near, or once a page
 * that shows the widget rests.
 *
 * @param {HTMLElement} host
 * @param {boolean} textOnly
 */
export function warm(host, textOnly) {
  if (warmed.has(host)) return;
  warmed.add(host);
  // What fails now is tried again by the press.
  const ahead = () => load(textOnly).catch(() => {});
  for (const name of ["pointerenter", "focusin"]) {
    host.addEventListener(name, ahead, { once: true, passive: true });
  }
  const { connection } = /** @type {{connection?: {saveData?: boolean}}} */ (navigator);
  if (connection?.saveData) return;
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    seen.disconnect();
    atRest(ahead);
  });
  seen.observe(host);
}

/** @param {() => void} work Runs once the page is loaded and has nothing to do. */
function atRest(work) {
  const wait = () => {
    if ("requestIdleCallback" in window) requestIdleCallback(work);
    else setTimeout(work, 1_000);
  };
  if (document.readyState === "complete") wait();
  else window.addEventListener("load", wait, { once: true });
}
