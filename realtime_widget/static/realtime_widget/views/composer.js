/** The text box in the same conversation. */

import { el, icon } from "./dom.js";

const SEND =
  "M3.4 20.4 21 12.8a.9.9 0 0 0 0-1.65L3.4 3.6a.9.9 0 0 0-1.24 1.06L4 11l9 1-9 1-1.84 6.34A.9.9 0 0 0 3.4 20.4Z";

export class ComposerView {
  #input = el("input", {
    type: "text",
    part: "input",
    class: "input",
    autocomplete: "off",
    enterkeyhint: "send",
    dir: "auto",
    maxlength: "4000",
  });
  #send = el(
    "button",
    { type: "submit", part: "button send", class: "send" },
    icon(SEND),
  );
  element = el(
    "form",
    { class: "composer", part: "composer" },
    this.#input,
    this.#send,
  );

  /** @param {(text: string) => void} onSend Gets "" too: there may be a picture. */
  constructor(onSend) {
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#input.value.trim();
      this.#input.value = "";
      onSend(text);
    });
  }

  focus() {
    this.#input.focus();
  }

  /** @param {Element[]} nodes Go between the field and its button. */
  add(nodes) {
    this.#send.before(...nodes);
  }

  /** @param {Record<string, string>} words */
  setWords(words) {
    this.#input.placeholder = words.type_message;
    this.#input.setAttribute("aria-label", words.type_message);
    this.#send.setAttribute("aria-label", words.send);
    this.#send.title = words.send;
  }
}
