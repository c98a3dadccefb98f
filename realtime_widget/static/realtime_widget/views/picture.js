/** A picture to show the model: a button beside the text box, and the one that was chosen. */

import { el, icon } from "./dom.js";

const PICTURE =
  "M5 4h14a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2Zm0 2v9.6l3.3-3.3a1 1 0 0 1 1.4 0l2.3 2.29 3.3-3.3a1 1 0 0 1 1.4 0L19 13.6V6H5Zm4 4.5a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5Z";
const THUMB_PX = 144;

/**
 * @typedef {object} Choosing
 * @property {(file: File, text: string) => Promise<void>} send
 * @property {(code: string) => void} fail
 */

export class PictureView {
  static sheet = `
.pick { flex: none; display: grid; place-items: center; inline-size: 44px; block-size: 44px; padding: 0; border: 0; border-radius: 50%; background: transparent; color: var(--_accent); }
.pick:hover { background: var(--_soft); }
.pick svg { inline-size: 24px; block-size: 24px; fill: currentcolor; }
.picked { display: flex; flex-wrap: wrap; align-items: center; gap: 10px; flex: none; }
.picked canvas { max-block-size: 72px; max-inline-size: 110px; border: var(--_stroke) solid var(--_line); border-radius: min(var(--_bubble), 10px); }
.classic .picked { margin: 0 12px 12px; }
@media (forced-colors: active) { .pick { border: 1px solid CanvasText; } .pick svg { fill: ButtonText; } }
`;
  #texts;
  #choosing;
  /** @type {File | null} */
  #file = null;
  #input = el("input", {
    type: "file",
    accept: "image/*",
    hidden: true,
    tabindex: "-1",
  });
  /** What was chosen; goes above the text box. */
  element;

  /**
   * @param {Record<string, string>} texts
   * @param {Choosing} choosing
   */
  constructor(texts, choosing) {
    this.#texts = texts;
    this.#choosing = choosing;
    const label = texts.add_picture;
    this.button = el(
      "button",
      { type: "button", class: "pick", part: "button picture", title: label },
      icon(PICTURE),
    );
    this.button.setAttribute("aria-label", label);
    this.button.addEventListener("click", () => this.#input.click());
    this.#input.addEventListener("change", () => this.#choose());
    this.element = el("div", { class: "picked", part: "picked", role: "group" });
    this.element.setAttribute("aria-label", texts.chosen_picture);
    this.element.hidden = true;
  }

  /** What goes beside the text box. */
  get nodes() {
    return [this.button, this.#input];
  }

  /**
   * Send what was chosen along with words.
   *
   * @param {string} text May be "".
   * @returns {boolean} Whether there was a picture.
   */
  takes(text) {
    const file = this.#file;
    if (!file) return false;
    this.#drop();
    this.#choosing.send(file, text).catch(() => this.#choosing.fail("bad_picture"));
    return true;
  }

  async #choose() {
    const [file] = this.#input.files ?? [];
    // The same file may be chosen again.
    this.#input.value = "";
    if (!file) return;
    const { drawn, read } = await import("./small-picture.js");
    try {
      const bitmap = await read(file);
      const thumb = drawn(bitmap, THUMB_PX);
      bitmap.close();
      this.#show(file, thumb);
    } catch {
      this.#drop();
      this.#choosing.fail("bad_picture");
    }
  }

  /**
   * @param {File} file
   * @param {HTMLCanvasElement} thumb
   */
  #show(file, thumb) {
    this.#file = file;
    thumb.setAttribute("role", "img");
    thumb.setAttribute("aria-label", `${this.#texts.chosen_picture}: ${file.name}`);
    const remove = el(
      "button",
      { type: "button", class: "text-button", part: "button" },
      this.#texts.remove_picture,
    );
    remove.addEventListener("click", () => {
      this.#drop();
      this.button.focus();
    });
    this.element.replaceChildren(thumb, remove);
    this.element.hidden = false;
  }

  #drop() {
    this.#file = null;
    this.element.hidden = true;
    this.element.replaceChildren();
  }
}
