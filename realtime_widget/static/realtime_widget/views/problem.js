/**
 * What went wrong, in words, and the way on.
 *
 * @typedef {object} Problem
 * @property {string} words
 * @property {boolean} retryable
 * @property {boolean} fatal
 */

import { applyStyles, clearStyles, el } from "./dom.js";

export class ProblemView {
  #words = el("span", { class: "problem-words" });
  #retry = el("button", { type: "button", part: "button retry", class: "text-button" });
  #alert = el("div", { role: "alert", part: "error", class: "problem" }, this.#words);
  element = el("div", { class: "problems" }, this.#alert, this.#retry);

  /** @param {() => void} onRetry */
  constructor(onRetry) {
    this.#retry.hidden = true;
    this.#retry.addEventListener("click", () => onRetry());
  }

  /**
   * @param {Record<string, string>} words
   * @param {Record<string, string> | undefined} style Looks of the error.
   */
  setLooks(words, style) {
    this.#retry.textContent = words.retry;
    clearStyles(this.#alert);
    applyStyles(this.#alert, style);
  }

  /** @param {Problem | null} problem */
  show(problem) {
    this.element.classList.toggle("notice", problem !== null && !problem.fatal);
    this.element.hidden = problem === null;
    const words = problem?.words ?? "";
    if (this.#words.textContent !== words) this.#words.textContent = words;
    this.#retry.hidden = !(problem?.fatal && problem.retryable);
  }
}
