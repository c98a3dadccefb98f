/**
 * The visitor's word before a tool runs: one question with buttons for each call.
 *
 * Loaded with the first question of a page.
 */

import { el } from "./dom.js";
import { addStyles } from "./styles.js";

const SHEET = `
.approvals { display: grid; gap: 8px; }
.approval { display: grid; gap: 8px; margin: 0; padding: 12px; border: 1px solid var(--_line); border-radius: var(--_bubble); background: var(--_soft); }
.approval-words { overflow-wrap: anywhere; }
.approval-buttons { display: flex; flex-wrap: wrap; gap: 8px; }
`;

/**
 * @typedef {{approve: boolean, always: boolean}} Answer
 */

export class ApprovalsView {
  #words;
  #onAnswer;
  #root;
  /** @type {Map<string, HTMLElement>} */
  #questions = new Map();
  element = el("div", { class: "approvals" });

  /**
   * @param {ShadowRoot | null} root
   * @param {Record<string, string>} words
   * @param {(callId: string, answer: Answer) => void} onAnswer
   */
  constructor(root, words, onAnswer) {
    this.#root = root;
    this.#words = words;
    this.#onAnswer = onAnswer;
  }

  /** Put the questions above the notices, again when the widget was built anew. */
  #joinIn() {
    if (this.element.isConnected || !this.#root) return;
    this.#root.querySelector(".problems")?.before(this.element);
    addStyles(this.element, SHEET);
  }

  /** Stop asking: the conversation is over. */
  clear() {
    for (const callId of [...this.#questions.keys()]) this.close(callId);
  }

  /**
   * @param {Record<string, any>} call A `tool.approval_required`.
   */
  ask({ call_id: callId, name, summary }) {
    if (this.#questions.has(callId)) return;
    this.#joinIn();
    const { approve, approve_always, reject, approve_question } = this.#words;
    const words = summary || approve_question.replace("{name}", name);
    const question = el(
      "div",
      { class: "approval", part: "approval", role: "alertdialog", "aria-label": words },
      el("span", { class: "approval-words" }, words),
      el(
        "div",
        { class: "approval-buttons" },
        this.#button(callId, approve, { approve: true, always: false }),
        this.#button(callId, approve_always, { approve: true, always: true }),
        this.#button(callId, reject, { approve: false, always: false }),
      ),
    );
    this.#questions.set(callId, question);
    this.element.append(question);
  }

  /**
   * @param {string} callId
   * @param {string} words
   * @param {Answer} answer
   */
  #button(callId, words, answer) {
    const button = el(
      "button",
      { type: "button", class: "text-button", part: "button approval-button" },
      words,
    );
    button.addEventListener("click", () => {
      this.close(callId);
      this.#onAnswer(callId, answer);
    });
    return button;
  }

  /** @param {string} callId Of a call that has started or was answered. */
  close(callId) {
    this.#questions.get(callId)?.remove();
    this.#questions.delete(callId);
  }
}
