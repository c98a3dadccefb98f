/**
 * The whole widget: header, picture, words, buttons and text box.
 *
 * Shows what it is given; what the visitor does goes to `actions`.
 *
 * @typedef {object} Actions
 * @property {() => void} toggle Start or end the conversation.
 * @property {() => void} microphone
 * @property {() => void} unlock Let sound run, in a gesture.
 * @property {(text: string) => void} send
 *
 * @typedef {object} View
 * @property {string} state
 * @property {boolean} active
 * @property {boolean} muted
 * @property {boolean} textOnly
 * @property {string} tool Name of the tool that runs, "" for none.
 * @property {import("./problem.js").Problem | null} problem
 * @property {() => {analyser: AnalyserNode | null, level: number}} levels
 */

import { AvatarView } from "./avatar.js";
import { ButtonView } from "./buttons.js";
import { ComposerView } from "./composer.js";
import { applyStyles, clearStyles, el, parseMarkup } from "./dom.js";
import { ProblemView } from "./problem.js";
import { TranscriptView } from "./transcript.js";

export class Panel {
  #title = el("span", { part: "title", class: "title" });
  #status = el("span", { role: "status", part: "status", class: "status" });
  #tool = el("span", { class: "tool", part: "tool", hidden: true });
  #loading = el("div", { class: "loading", part: "loading", hidden: true });
  #unlock = el("button", {
    type: "button",
    class: "text-button unlock",
    part: "button unlock",
    hidden: true,
  });
  #buttons = el("div", { class: "buttons", part: "buttons" });
  #avatar = new AvatarView();
  #problem;
  #microphone;
  #toggle;
  #composer;
  /** @type {Record<string, any>} */
  #config = {};

  /**
   * @param {Record<string, any>} config
   * @param {Actions} actions
   */
  constructor(config, actions) {
    this.transcript = new TranscriptView(config.texts);
    this.#problem = new ProblemView(actions.toggle);
    this.#microphone = new ButtonView("microphone", actions.microphone);
    this.#toggle = new ButtonView("toggle", actions.toggle);
    this.#composer = new ComposerView(actions.send);
    this.#unlock.addEventListener("click", () => actions.unlock());
    this.#buttons.append(this.#microphone.element, this.#toggle.element, this.#loading);
    this.element = el(
      "section",
      { class: "panel", part: "panel" },
      el("div", { class: "header", part: "header" }, this.#title, this.#status),
      this.#avatar.element,
      this.transcript.element,
      this.#tool,
      this.#problem.element,
      this.#unlock,
      this.#buttons,
      this.#composer.element,
    );
    this.setConfig(config);
  }

  /**
   * Take looks and words.
   *
   * @param {Record<string, any>} config
   */
  setConfig(config) {
    this.#config = config;
    const { texts, avatar, buttons = {}, loading = {} } = config;
    this.element.setAttribute("aria-label", config.title);
    this.#title.textContent = config.title;
    this.#avatar.show(avatar);
    this.#microphone.setLooks(buttons.microphone);
    this.#toggle.setLooks(buttons.toggle);
    clearStyles(this.#buttons);
    applyStyles(this.#buttons, buttons.container);
    this.#showLoading(loading, texts);
    this.#problem.setLooks(texts, config.error?.style);
    this.#composer.setWords(texts);
    this.#composer.element.hidden = config.textBox === false && !config.textOnly;
    this.#microphone.element.hidden = config.textOnly === true;
    this.element.classList.toggle("text-only", config.textOnly === true);
    this.#unlock.textContent = texts.tap_to_talk;
    this.transcript.setWords(texts);
  }

  /** @param {View} view */
  show(view) {
    const { texts } = this.#config;
    const connecting = view.active && view.state === "connecting";
    this.element.dataset.state = view.state;
    const words = statusWords(view, texts);
    if (this.#status.textContent !== words) this.#status.textContent = words;
    this.#microphone.show(microphoneLook(view), view.muted ? texts.unmute : texts.mute);
    this.#toggle.show(
      view.active ? "active" : "default",
      view.active ? texts.stop : texts.start,
      { busy: connecting },
    );
    this.#loading.hidden = !connecting || this.#config.loading?.display === false;
    this.#unlock.hidden = view.state !== "needs-gesture";
    this.#tool.hidden = !view.tool;
    this.#tool.textContent = view.tool
      ? texts.using_tool.replace("{name}", view.tool)
      : "";
    this.#problem.show(view.problem);
    this.transcript.follow();
    const moves = ["hearing", "listening", "speaking"].includes(view.state);
    if (moves && !view.textOnly) this.#avatar.follow(view.levels);
    else this.#avatar.stop();
  }

  /** Stop what moves. */
  rest() {
    this.#avatar.stop();
  }

  /**
   * @param {{text?: string, html?: string, style?: Record<string, string>}} loading
   * @param {Record<string, string>} texts
   */
  #showLoading({ text, html, style }, texts) {
    const nodes = html ? parseMarkup(html) : [text || texts.loading];
    this.#loading.replaceChildren(...nodes);
    clearStyles(this.#loading);
    applyStyles(this.#loading, style);
  }
}

/**
 * @param {View} view
 * @returns {import("./buttons.js").ButtonState}
 */
function microphoneLook({ active, textOnly, muted }) {
  if (active && textOnly) return "unavailable";
  return muted ? "active" : "default";
}

/**
 * @param {View} view
 * @param {Record<string, string>} texts
 */
function statusWords({ state, muted, textOnly, active }, texts) {
  if (state === "error") return texts.error;
  if (state === "needs-gesture") return texts.tap_to_talk;
  if (active && muted && !textOnly && state === "listening") return texts.state_muted;
  if (textOnly && state === "listening") return texts.text_only_hint;
  return texts[`state_${state}`] ?? "";
}
