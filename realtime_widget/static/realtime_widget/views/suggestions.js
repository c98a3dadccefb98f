/** Questions to tap before the first words. */

import { el } from "./dom.js";

export class SuggestionsView {
  static sheet = `
.suggestions { display: flex; flex-wrap: wrap; gap: 8px; flex: none; margin: 0; padding: 0; list-style: none; }
.suggestions .text-button { text-align: start; font-weight: 400; overflow-wrap: anywhere; }
.suggestions .text-button:hover { background: var(--_soft); }
.classic .suggestions { margin: 0 12px 12px; }
`;
  element = el("ul", { class: "suggestions", part: "suggestions" });

  /**
   * @param {string[]} questions
   * @param {Record<string, string>} texts
   * @param {(text: string) => void} send
   */
  constructor(questions, texts, send) {
    this.element.setAttribute("aria-label", texts.suggestions);
    for (const question of questions) {
      const attributes = { type: "button", class: "text-button", dir: "auto" };
      const button = el(
        "button",
        { ...attributes, part: "button suggestion" },
        question,
      );
      button.addEventListener("click", () => send(question));
      this.element.append(el("li", {}, button));
    }
  }

  /** @param {boolean} shown */
  show(shown) {
    this.element.hidden = !shown;
  }
}
