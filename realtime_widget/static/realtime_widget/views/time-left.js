/**
 * That a conversation ends soon: said once, counted down for who looks.
 *
 * Loaded by the first warning.
 */

import { el } from "./dom.js";

const SECOND_MS = 1_000;
// A screen reader tells what changes in a region it knows: words that come into the page
// together with their region are often not read.
const KNOWN_MS = 150;

/**
 * Return seconds as `0:20`.
 *
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export class TimeLeftView {
  static sheet = `
.time-left { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: center; gap: 4px 10px; flex: none; padding: 8px 12px; border: var(--_stroke) solid var(--_line); border-radius: var(--_bubble); background: var(--_soft); text-align: center; }
.time-left .clock { font-variant-numeric: tabular-nums; font-weight: 650; }
`;
  #words = el("span", { role: "status" });
  // A clock that is read aloud every second is a nuisance.
  #clock = el("span", { class: "clock", "aria-hidden": "true" });
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #telling;
  #code = "";
  element = el(
    "div",
    { class: "time-left", part: "time-left" },
    this.#words,
    this.#clock,
  );

  constructor() {
    this.element.hidden = true;
  }

  /**
   * @param {string} code `idle` or `time_limit`.
   * @param {string} words
   * @param {number} leftS
   */
  warn(code, words, leftS) {
    this.#code = code;
    const untilMs = performance.now() + leftS * SECOND_MS;
    const tick = () => {
      this.#clock.textContent = clock((untilMs - performance.now()) / SECOND_MS);
    };
    this.element.hidden = false;
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => {
      this.#words.textContent = words;
    }, KNOWN_MS);
    clearInterval(this.#timer);
    this.#timer = setInterval(tick, SECOND_MS);
    tick();
  }

  /**
   * Take the warning back where it holds no more.
   *
   * @param {{active: boolean, state: string}} view
   */
  show({ active, state }) {
    const heard = this.#code === "idle" && ["hearing", "thinking"].includes(state);
    if (active && !heard) return;
    this.element.hidden = true;
    clearTimeout(this.#telling);
    this.#words.textContent = "";
    this.#code = "";
    clearInterval(this.#timer);
  }
}
