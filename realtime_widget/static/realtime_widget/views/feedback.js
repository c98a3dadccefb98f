/** Thumbs at each answer, and an opinion of the whole when it is over. */

import { el, icon } from "./dom.js";

const UP =
  "M2 10h4v11H2V10Zm6 10.1V9.6l4.3-7a1.9 1.9 0 0 1 3.4 1.5L14.8 8h5.1a2 2 0 0 1 2 2.4l-1.7 8.8a2 2 0 0 1-2 1.6H9.6A2 2 0 0 1 8 20.1Z";

/**
 * @typedef {object} Opinion
 * @property {string} [item_id] Of one answer.
 * @property {string} [session_id] Of that answer.
 * @property {"up" | "down" | ""} rating
 * @property {string} [comment]
 */

export class FeedbackView {
  static sheet = `
.thumbs { display: inline-flex; gap: 2px; margin-block-start: 2px; }
.thumb { display: grid; place-items: center; inline-size: 44px; block-size: 44px; padding: 0; border: 0; border-radius: 50%; background: transparent; color: var(--_muted); }
.thumb svg { inline-size: 18px; block-size: 18px; fill: currentcolor; }
.thumb.down svg { transform: rotate(180deg); }
.thumb:hover { background: color-mix(in srgb, var(--_fg), transparent 90%); }
.thumb[aria-pressed="true"] { color: var(--_accent); outline: 2px solid currentcolor; outline-offset: -8px; }
.opinion { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; flex: none; }
.opinion .input { flex: 1 1 60%; }
.thumb:focus-visible, .opinion .text-button:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.classic .opinion { margin: 0 12px 12px; }
@media (forced-colors: active) { .thumb { border: 1px solid CanvasText; } .thumb svg { fill: ButtonText; } }
`;
  element;
  #texts;
  #save;
  #words = el("span", { class: "opinion-words" });
  #comment = el("input", {
    type: "text",
    class: "input",
    maxlength: "1000",
    dir: "auto",
  });
  #form;
  /** @type {"up" | "down" | ""} */
  #rating = "";

  /**
   * @param {Record<string, string>} texts
   * @param {(opinion: Opinion) => Promise<boolean>} save Whether it was taken.
   */
  constructor(texts, save) {
    this.#texts = texts;
    this.#save = save;
    this.#comment.setAttribute("aria-label", texts.comment);
    this.#comment.placeholder = texts.comment;
    const send = { type: "submit", class: "text-button", part: "button" };
    this.#form = el(
      "form",
      { class: "opinion", part: "feedback" },
      this.#words,
      this.#thumbs((rating) => {
        this.#rating = rating;
        return Promise.resolve(true);
      }),
      this.#comment,
      el("button", send, texts.send),
    );
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.element = el("div", { role: "status" }, this.#form);
    this.element.hidden = true;
  }

  /** The conversation is over, or goes on (`false`). @param {boolean} over */
  ask(over) {
    if (over && this.element.hidden) {
      this.#rating = "";
      this.#comment.value = "";
      this.#words.textContent = this.#texts.your_opinion;
      for (const thumb of this.#form.querySelectorAll(".thumb")) {
        thumb.setAttribute("aria-pressed", "false");
      }
      this.element.replaceChildren(this.#form);
    }
    this.element.hidden = !over;
  }

  /**
   * Put thumbs at an answer; it stays that of its session when another goes on.
   *
   * @param {HTMLElement} line
   * @param {import("../transcript.js").Item | null} of Without it there is no opinion.
   */
  mark(line, of) {
    if (!of || line.querySelector(".thumbs")) return;
    line.append(this.#thumbs((rating) => this.#save({ ...of, rating })));
  }

  /** @param {(rating: "up" | "down") => Promise<boolean>} onPress */
  #thumbs(onPress) {
    const thumbs = el("span", { class: "thumbs" });
    for (const rating of /** @type {const} */ (["up", "down"])) {
      const label = rating === "up" ? this.#texts.good_answer : this.#texts.bad_answer;
      const thumb = el(
        "button",
        { type: "button", class: `thumb ${rating}`, part: "button", title: label },
        icon(UP),
      );
      thumb.setAttribute("aria-label", label);
      thumb.setAttribute("aria-pressed", "false");
      thumb.addEventListener("click", async () => {
        if (!(await onPress(rating))) return;
        for (const other of thumbs.children) {
          other.setAttribute("aria-pressed", String(other === thumb));
        }
      });
      thumbs.append(thumb);
    }
    return thumbs;
  }

  async #submit() {
    const comment = this.#comment.value.trim();
    if (!this.#rating && !comment) {
      this.#comment.focus();
      return;
    }
    if (!(await this.#save({ rating: this.#rating, comment }))) return;
    this.element.replaceChildren(this.#texts.thanks);
  }
}
