/**
 * The words of both sides.
 *
 * Final lines stand in a log that screen readers announce once; words that are still
 * coming are shown below it and not announced.
 *
 * @typedef {object} ShownLine
 * @property {string} itemId
 * @property {"user" | "assistant" | "system"} role
 * @property {string} text
 * @property {boolean} final
 * @property {boolean} interrupted
 */

import { el } from "./dom.js";

/** Within so many pixels of the end the view follows what is added. */
const FOLLOW_PX = 48;

export class TranscriptView {
  #final = el("ol", { class: "lines" });
  #log = el("div", { role: "log", part: "log" }, this.#final);
  #live = el("ol", { class: "lines live", "aria-hidden": "true" });
  element = el(
    "div",
    { class: "transcript", part: "transcript", tabindex: "0", hidden: true },
    this.#log,
    this.#live,
  );
  /** @type {Map<string, HTMLLIElement>} */
  #shown = new Map();
  #words;
  /** Whether the last line stays in view; a visitor who scrolls back ends it. */
  #follows = true;
  #scrollTop = 0;

  /** @param {Record<string, string>} words */
  constructor(words) {
    this.#words = words;
    this.setWords(words);
    this.element.addEventListener("scroll", () => this.#scrolled());
    new ResizeObserver(() => this.follow()).observe(this.element);
  }

  /** @param {Record<string, string>} words */
  setWords(words) {
    this.#words = words;
    this.#log.setAttribute("aria-label", words.conversation);
  }

  /**
   * Show the lines as they are now.
   *
   * @param {ShownLine[]} lines In order.
   */
  show(lines) {
    const ids = new Set(lines.map((line) => line.itemId));
    for (const [itemId, element] of this.#shown) {
      if (!ids.has(itemId)) {
        element.remove();
        this.#shown.delete(itemId);
      }
    }
    /** @type {Record<"final" | "live", Element | null>} */
    const last = { final: null, live: null };
    for (const line of lines) {
      if (!line.text.trim()) continue;
      const kind = line.final ? "final" : "live";
      const home = line.final ? this.#final : this.#live;
      const element = this.#line(line);
      const after = last[kind];
      const place = after ? after.nextElementSibling : home.firstElementChild;
      if (element.parentElement !== home || place !== element) {
        home.insertBefore(element, place);
      }
      last[kind] = element;
    }
    this.element.hidden = !this.#shown.size;
    this.follow();
  }

  /** Keep the last line in view: what appears around it may have taken its height. */
  follow() {
    if (this.#follows) this.element.scrollTop = this.element.scrollHeight;
  }

  /** @param {ShownLine} line */
  #line(line) {
    let element = this.#shown.get(line.itemId);
    if (!element) {
      element = el("li", { class: `line ${line.role}`, part: `message ${line.role}` });
      const who = line.role === "user" ? this.#words.you : this.#words.agent;
      element.append(
        el("span", { class: "who" }, `${who}: `),
        el("span", { class: "said", dir: "auto" }),
      );
      this.#shown.set(line.itemId, element);
    }
    const said = /** @type {HTMLElement} */ (element.lastElementChild);
    const text = line.interrupted
      ? `${line.text} (${this.#words.interrupted})`
      : line.text;
    if (said.textContent !== text) said.textContent = text;
    return element;
  }

  #scrolled() {
    const { scrollTop } = this.element;
    if (this.#atEnd()) this.#follows = true;
    else if (scrollTop < this.#scrollTop) this.#follows = false;
    this.#scrollTop = scrollTop;
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
  }
}
