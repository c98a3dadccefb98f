/** Take what was said along: copied, or as a text file. */

import { el } from "./dom.js";

const SAID_MS = 2_000;

export class TranscriptTools {
  static sheet = `
.transcript-tools { display: flex; flex-wrap: wrap; gap: 8px; justify-content: flex-end; flex: none; }
.transcript-tools .text-button { border-color: transparent; padding-inline: 12px; font-weight: 500; }
.transcript-tools .text-button:hover { background: var(--_soft); }
`;
  element = el("div", { class: "transcript-tools", part: "transcript-tools" });
  #texts;
  #title;
  #lines;
  #said = el("span", { role: "status", class: "who" });

  /**
   * @param {Record<string, string>} texts
   * @param {string} title
   * @param {() => import("../transcript.js").Line[]} lines
   */
  constructor(texts, title, lines) {
    this.#texts = texts;
    this.#title = title;
    this.#lines = lines;
    this.element.append(
      this.#button(texts.copy, (button) => this.#copy(button)),
      this.#button(texts.download, () => this.#download()),
      this.#said,
    );
  }

  /** @param {boolean} shown */
  show(shown) {
    this.element.hidden = !shown;
  }

  /** All final lines, one each, with who said it. */
  get text() {
    const { you, agent } = this.#texts;
    return this.#lines()
      .filter(({ final, text }) => final && text.trim())
      .map(({ role, text }) => `${role === "user" ? you : agent}: ${text.trim()}\n`)
      .join("");
  }

  /**
   * @param {string} label
   * @param {(button: HTMLButtonElement) => void} onPress
   */
  #button(label, onPress) {
    const attributes = { type: "button", class: "text-button", part: "button" };
    const button = el("button", attributes, label);
    button.addEventListener("click", () => onPress(button));
    return button;
  }

  /** @param {HTMLButtonElement} button */
  async #copy(button) {
    try {
      await navigator.clipboard.writeText(this.text);
    } catch {
      // A page may forbid the clipboard; the file is the way that is left.
      this.#download();
      return;
    }
    const { copy, copied } = this.#texts;
    button.textContent = copied;
    this.#said.textContent = copied;
    setTimeout(() => {
      button.textContent = copy;
      this.#said.textContent = "";
    }, SAID_MS);
  }

  #download() {
    const file = new Blob([this.text], { type: "text/plain;charset=utf-8" });
    const href = URL.createObjectURL(file);
    const name = `${this.#title.replaceAll(/[^\p{L}\p{N}]+/gu, "-")}.txt`;
    const link = el("a", { href, download: name });
    link.click();
    URL.revokeObjectURL(href);
  }
}
