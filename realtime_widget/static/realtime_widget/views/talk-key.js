/**
 * Push-to-talk: a button to hold, and the space bar.
 *
 * Whoever cannot hold a button presses it twice: assistive technology clicks without a
 * pointer. Loaded by the first conversation whose turns end by a key.
 *
 * @typedef {object} Key
 * @property {() => void} startTurn
 * @property {() => void} commitTurn
 * @property {() => void} cancelTurn
 */

import { el } from "./dom.js";

/** Where the space bar has a meaning of its own. */
const BUSY =
  "a[href], button, input, select, summary, textarea, video, audio, [contenteditable]";

export class TalkKeyView {
  static sheet = `
.talk-key { min-block-size: 64px; padding: 12px 24px; border: 2px solid var(--_accent); border-radius: 32px; background: var(--_accent); color: var(--_on-accent); font-weight: 650; touch-action: none; user-select: none; -webkit-user-select: none; transition: background-color .15s, transform .1s; }
.talk-key[aria-pressed="true"] { background: var(--_bg); color: var(--_accent); transform: scale(.98); }
@media (forced-colors: active) { .talk-key { border: 1px solid CanvasText; } }
`;
  #label = el("span", { class: "words" });
  #held = false;
  #ready = false;
  #key;
  #words;
  /** @type {AbortController | null} */
  #listening = null;

  /**
   * @param {Record<string, string>} words
   * @param {Key} key
   */
  constructor(words, key) {
    this.#key = key;
    this.#words = words;
    this.element = el(
      "button",
      { type: "button", class: "talk-key", part: "button talk-key", hidden: true },
      this.#label,
    );
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.#ready) return;
      this.element.setPointerCapture(event.pointerId);
      key.startTurn();
    });
    this.element.addEventListener("pointerup", () => key.commitTurn());
    this.element.addEventListener("pointercancel", () => key.cancelTurn());
    // A long press of a finger must not open a menu.
    this.element.addEventListener("contextmenu", (event) => event.preventDefault());
    this.element.addEventListener("click", (event) => {
      if (event.detail) return;
      if (this.#held) key.commitTurn();
      else key.startTurn();
    });
  }

  /** @param {{shown: boolean, ready: boolean, held: boolean}} view */
  show({ shown, ready, held }) {
    const root = /** @type {ShadowRoot | Document} */ (this.element.getRootNode());
    const begins = ready && !this.#ready;
    this.#ready = ready;
    this.#held = held;
    this.element.hidden = !shown;
    this.element.disabled = !ready;
    this.element.setAttribute("aria-pressed", String(held));
    const { hold_to_talk, release_to_send } = this.#words;
    const words = held ? release_to_send : hold_to_talk;
    if (this.#label.textContent !== words) this.#label.textContent = words;
    this.#listen(shown);
    // The button that began the call would end it at the first press of the space bar.
    if (begins && root.activeElement?.classList.contains("toggle")) {
      this.element.focus();
    }
  }

  /** @param {boolean} on Whether the space bar is the key. */
  #listen(on) {
    if (on === Boolean(this.#listening)) return;
    this.#listening?.abort();
    this.#listening = on ? new AbortController() : null;
    if (!this.#listening) return;
    const { signal } = this.#listening;
    document.addEventListener("keydown", (event) => this.#down(event), { signal });
    document.addEventListener("keyup", (event) => this.#up(event), { signal });
    window.addEventListener("blur", () => this.#key.commitTurn(), { signal });
  }

  /** @param {KeyboardEvent} event */
  #down(event) {
    if (event.key === "Escape" && this.#held) this.#key.cancelTurn();
    if (event.code !== "Space" || !this.#mine(event)) return;
    event.preventDefault();
    if (this.#ready && !event.repeat) this.#key.startTurn();
  }

  /** @param {KeyboardEvent} event */
  #up(event) {
    if (event.code !== "Space") return;
    if (this.#mine(event)) event.preventDefault();
    this.#key.commitTurn();
  }

  /** @param {KeyboardEvent} event */
  #mine(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return false;
    const target = event.composedPath()[0];
    if (target === this.element) return true;
    return !(target instanceof Element && target.closest(BUSY));
  }
}
