/** Words to agree to before the start; the server wants their fingerprint. */

import { el } from "./dom.js";
import { withLinks } from "./links.js";

export class ConsentView {
  static sheet = `
.consent { display: grid; gap: 10px; padding: 14px; border: 1px solid var(--_line); border-radius: var(--_bubble); background: var(--_soft); overflow-wrap: anywhere; flex: 0 1 auto; overflow-y: auto; min-block-size: 120px; }
.consent-title { font-weight: 650; }
.consent-words { white-space: pre-line; margin: 0; }
.consent-buttons { display: flex; flex-wrap: wrap; gap: 8px; }
.consent .agree { background: var(--_accent); color: var(--_on-accent); }
.classic .consent { margin: 0 12px 12px; }
`;
  element;
  #agree;
  #hash;
  #key;
  #config;
  #onAgreed = () => {};

  /** @param {Record<string, any>} config Its `sessionUrl` gets the fingerprint. */
  constructor(config) {
    const { consent, texts, slug } = config;
    this.#config = config;
    this.#hash = consent.hash;
    this.#key = `realtime-widget:${slug}:agreed`;
    this.#agree = button("text-button agree", texts.agree, () => this.#agreed());
    const decline = button("text-button", texts.decline, () => this.#hide());
    const title = el("span", { class: "consent-title" }, texts.consent_title);
    this.element = el(
      "div",
      { class: "consent", part: "consent", role: "group", "aria-live": "polite" },
      title,
      el("p", { class: "consent-words", dir: "auto" }, ...withLinks(consent.text)),
      el("span", { class: "consent-buttons" }, this.#agree, decline),
    );
    this.element.setAttribute("aria-label", texts.consent_title);
    this.element.hidden = true;
    if (this.#kept() === this.#hash) this.#tellServer();
  }

  /**
   * Ask unless the visitor has agreed.
   *
   * @param {() => void} proceed Called in the gesture that agrees.
   * @returns {boolean} Whether the start has to wait.
   */
  asks(proceed) {
    if (this.#kept() === this.#hash) return false;
    this.#onAgreed = proceed;
    this.element.hidden = false;
    this.#agree.focus();
    return true;
  }

  /** The server does not take it: the words have changed meanwhile. */
  forget() {
    this.#keep("");
  }

  #agreed() {
    this.#keep(this.#hash);
    this.#tellServer();
    this.#hide();
    this.#onAgreed();
  }

  #hide() {
    this.element.hidden = true;
  }

  #tellServer() {
    const url = new URL(this.#config.sessionUrl, document.baseURI);
    url.searchParams.set("consent", this.#hash);
    this.#config.sessionUrl = url.href;
  }

  /** Without storage it holds for as long as the element. */
  #remembered = "";

  #kept() {
    try {
      return sessionStorage.getItem(this.#key) ?? this.#remembered;
    } catch {
      return this.#remembered;
    }
  }

  /** @param {string} hash */
  #keep(hash) {
    this.#remembered = hash;
    try {
      sessionStorage.setItem(this.#key, hash);
    } catch {
      // Remembered above.
    }
  }
}

/**
 * @param {string} name
 * @param {string} label
 * @param {() => void} onPress
 */
function button(name, label, onPress) {
  const made = el("button", { type: "button", class: name, part: "button" }, label);
  made.addEventListener("click", onPress);
  return made;
}
