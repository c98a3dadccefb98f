/**
 * The words of both sides.
 *
 * Final lines stand in a log that screen readers announce once; words that are still
 * coming are shown below it and not announced.
 *
 * @typedef {object} ShownLine
 * @property {string} key Unique in the page.
 * @property {string} itemId
 * @property {"user" | "assistant" | "system"} role
 * @property {string} text
 * @property {boolean} final
 * @property {boolean} interrupted
 * @property {import("../transcript.js").Item | null} of
 */

import { el, ifLoaded } from "./dom.js";

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
  /** @type {((element: HTMLElement, line: ShownLine) => void) | null} Of complete ones. */
  onAnswer = null;
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
    const ids = new Set(lines.map((line) => line.key));
    for (const [key, element] of this.#shown) {
      if (!ids.has(key)) {
        element.remove();
        this.#shown.delete(key);
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
    let element = this.#shown.get(line.key);
    if (!element) {
      element = el("li", { class: `line ${line.role}`, part: `message ${line.role}` });
      const who = line.role === "user" ? this.#words.you : this.#words.agent;
      element.append(
        el("span", { class: "who" }, `${who}: `),
        el("span", { class: "said", dir: "auto" }),
      );
      this.#shown.set(line.key, element);
    }
    const said = /** @type {HTMLElement} */ (element.querySelector(".said"));
    const text = line.interrupted
      ? `${line.text} (${this.#words.interrupted})`
      : line.text;
    // Words that still come are text: half an address is none.
    const isNew =
      said.textContent !== text || element.dataset.final !== `${line.final}`;
    if (isNew) {
      said.textContent = text;
      if (line.final && text.includes("://")) link(said, text);
    }
    element.dataset.final = `${line.final}`;
    if (line.final && line.role === "assistant") this.onAnswer?.(element, line);
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

/**
 * Make links of the addresses in a line.
 *
 * @param {HTMLElement} said
 * @param {string} text
 */
async function link(said, text) {
  const loaded = await ifLoaded(import("./links.js"));
  if (loaded && said.textContent === text)
    said.replaceChildren(...loaded.withLinks(text));
}
