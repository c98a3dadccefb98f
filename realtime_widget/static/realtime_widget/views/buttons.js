/**
 * The two round buttons: microphone and start/stop, with an editor's looks per state.
 *
 * @typedef {Record<string, string>} Styles
 * @typedef {{default?: Styles, hover?: Styles, click?: Styles}} StatefulStyles
 * @typedef {object} ButtonLooks
 * @property {StatefulStyles} [container]
 * @property {{content?: string, styles?: StatefulStyles}} [svg]
 * @property {{content?: string, styles?: StatefulStyles}} [text]
 * @typedef {"default" | "active" | "unavailable"} ButtonState
 */

import { applyStyles, clearStyles, el, icon, parseIcon } from "./dom.js";

const MICROPHONE =
  "M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15Zm6-3.5a1 1 0 0 0-2 0 4 4 0 0 1-8 0 1 1 0 0 0-2 0 6 6 0 0 0 5 5.91V20H9a1 1 0 0 0 0 2h6a1 1 0 0 0 0-2h-2v-2.59a6 6 0 0 0 5-5.91Z";
const MUTED =
  "M4.7 3.3a1 1 0 0 0-1.4 1.4l5.2 5.22v1.58a3.5 3.5 0 0 0 4.94 3.18l.78.78A4 4 0 0 1 8 11.5a1 1 0 0 0-2 0 6 6 0 0 0 5 5.91V20H9a1 1 0 0 0 0 2h6a1 1 0 0 0 0-2h-2v-2.59a6 6 0 0 0 2.66-.93l3.63 3.63a1 1 0 0 0 1.42-1.42L4.7 3.3Zm10.8 8.2v-5a3.5 3.5 0 0 0-6.7-1.4l6.6 6.6.1-.2Zm2.5 0a5.9 5.9 0 0 1-.5 2.38l-1.52-1.52c.01-.28.02-.57.02-.86a1 1 0 0 1 2 0Z";
const PLAY =
  "M8 5.6v12.8a1 1 0 0 0 1.53.85l10.2-6.4a1 1 0 0 0 0-1.7L9.53 4.75A1 1 0 0 0 8 5.6Z";
const STOP =
  "M7.5 6h9A1.5 1.5 0 0 1 18 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 6 16.5v-9A1.5 1.5 0 0 1 7.5 6Z";

const ICONS = {
  microphone: { default: MICROPHONE, active: MUTED, unavailable: MICROPHONE },
  toggle: { default: PLAY, active: STOP, unavailable: PLAY },
};

export class ButtonView {
  #kind;
  /** @type {ButtonState | ""} */
  #state = "";
  /** @type {Partial<Record<ButtonState, ButtonLooks>>} */
  #looks = {};
  /** @type {{target: HTMLElement | SVGElement, styles: StatefulStyles}[]} */
  #parts = [];

  /**
   * @param {"microphone" | "toggle"} kind
   * @param {() => void} onPress
   */
  constructor(kind, onPress) {
    this.#kind = kind;
    this.element = el("button", {
      type: "button",
      class: `round ${kind}`,
      part: `button ${kind}`,
    });
    this.element.addEventListener("click", () => onPress());
    for (const [event, mouse] of /** @type {const} */ ([
      ["pointerenter", "hover"],
      ["pointerleave", "default"],
      ["pointerdown", "click"],
      ["pointerup", "hover"],
    ])) {
      this.element.addEventListener(event, () => this.#wear(mouse));
    }
  }

  /** @param {Partial<Record<ButtonState, ButtonLooks>>} looks */
  setLooks(looks) {
    this.#looks = looks ?? {};
    const state = this.#state;
    this.#state = "";
    if (state) this.#dress(state);
  }

  /**
   * @param {ButtonState} state
   * @param {string} label
   * @param {{busy?: boolean}} [options]
   */
  show(state, label, { busy = false } = {}) {
    this.element.disabled = state === "unavailable";
    this.element.setAttribute("aria-label", label);
    this.element.title = label;
    this.element.setAttribute("aria-busy", String(busy));
    this.element.classList.toggle("busy", busy);
    if (state !== this.#state) this.#dress(state);
  }

  /** @param {ButtonState} state */
  #dress(state) {
    this.#state = state;
    const { container = {}, svg = {}, text = {} } = this.#looks[state] ?? {};
    this.element.dataset.look = state;
    this.element.replaceChildren();
    this.#parts = [{ target: this.element, styles: container }];
    const drawn = this.#icon(state, svg, text);
    if (drawn) {
      this.element.append(drawn);
      this.#parts.push({
        target: /** @type {SVGElement} */ (drawn),
        styles: svg.styles ?? {},
      });
    }
    if (text.content) {
      const words = el("span", { class: "words" }, text.content);
      this.element.append(words);
      this.#parts.push({ target: words, styles: text.styles ?? {} });
    }
    this.#wear("default");
  }

  /**
   * An empty icon beside a text means the text alone.
   *
   * @param {ButtonState} state
   * @param {{content?: string}} svg
   * @param {{content?: string}} text
   */
  #icon(state, svg, text) {
    if (svg.content) return parseIcon(svg.content) ?? icon(ICONS[this.#kind][state]);
    if (svg.content === "" && text.content) return null;
    return icon(ICONS[this.#kind][state]);
  }

  /** @param {"default" | "hover" | "click"} mouse */
  #wear(mouse) {
    for (const { target, styles } of this.#parts) {
      clearStyles(target);
      applyStyles(target, styles.default);
      if (mouse !== "default") applyStyles(target, styles.hover);
      if (mouse === "click") applyStyles(target, styles.click);
    }
  }
}
