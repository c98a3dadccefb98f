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
 * @property {() => void} interrupt Silence the answer.
 * @property {import("./talk-key.js").Key} key Of push-to-talk.
 * @property {import("./sound-menu.js").SoundChoices} sound
 *
 * @typedef {object} View
 * @property {string} state
 * @property {boolean} active
 * @property {boolean} muted
 * @property {boolean} textOnly
 * @property {string} tool Name of the tool that runs, "" for none.
 * @property {import("./problem.js").Problem | null} problem
 * @property {number} progress The share that is loaded, 0 to 1; 0: nothing is loaded.
 * @property {Levels} levels
 * @property {{shown: boolean, ready: boolean, held: boolean}} key Of push-to-talk.
 *
 * @typedef {() => {analyser: AnalyserNode | null, level: number}} Levels
 *
 * @typedef {object} Figure
 * @property {HTMLElement} element
 * @property {(looks: import("./avatar.js").AvatarLooks) => void} show
 * @property {(levels: Levels) => void} follow
 * @property {() => void} stop
 */

import { AvatarView } from "./avatar.js";
import { ButtonView } from "./buttons.js";
import { ComposerView } from "./composer.js";
import { applyStyles, clearStyles, el, icon, ifLoaded, parseMarkup } from "./dom.js";
import { ProblemView } from "./problem.js";
import { addStyles } from "./styles.js";
import { TranscriptView } from "./transcript.js";

const SILENCE =
  "M4.5 9A1.5 1.5 0 0 0 3 10.5v3A1.5 1.5 0 0 0 4.5 15H8l4.3 4.1a1 1 0 0 0 1.7-.7V5.6a1 1 0 0 0-1.7-.7L8 9Zm11.8.7a1 1 0 0 1 1.4 0l1.3 1.3 1.3-1.3a1 1 0 1 1 1.4 1.4L20.4 12.4l1.3 1.3a1 1 0 0 1-1.4 1.4L19 13.8l-1.3 1.3a1 1 0 0 1-1.4-1.4l1.3-1.3-1.3-1.3a1 1 0 0 1 0-1.4Z";

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
  #interrupt = el("button", {
    type: "button",
    class: "round interrupt",
    part: "button interrupt",
    hidden: true,
  });
  #buttons = el("div", { class: "buttons", part: "buttons" });
  #avatar;
  #problem;
  #microphone;
  #toggle;
  #composer;
  #key;
  #sound;
  /** @type {import("./talk-key.js").TalkKeyView | null} */
  #talkKey = null;
  /** @type {import("./sound-menu.js").SoundMenu | null} */
  #soundMenu = null;
  #hasSound = false;
  /** @type {import("./time-left.js").TimeLeftView | null} */
  #timeLeft = null;
  /** @type {Record<string, any>} */
  #config = {};

  /**
   * @param {Record<string, any>} config
   * @param {Actions} actions
   * @param {Figure} [figure] What moves with the voices.
   */
  constructor(config, actions, figure = new AvatarView()) {
    this.#avatar = figure;
    this.transcript = new TranscriptView(config.texts);
    this.#problem = new ProblemView(actions.toggle);
    this.#microphone = new ButtonView("microphone", actions.microphone);
    this.#toggle = new ButtonView("toggle", actions.toggle);
    this.#composer = new ComposerView(actions.send);
    this.#key = actions.key;
    this.#sound = actions.sound;
    this.#unlock.addEventListener("click", () => actions.unlock());
    this.#interrupt.addEventListener("click", () => actions.interrupt());
    this.#interrupt.append(icon(SILENCE));
    this.#buttons.append(
      this.#microphone.element,
      this.#toggle.element,
      this.#loading,
      this.#interrupt,
    );
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

  /** @param {Element} node Goes above the text box. */
  addAboveBox(node) {
    this.#composer.element.before(node);
  }

  /** @param {Element[]} nodes Go beside the text box. */
  addBesideBox(nodes) {
    this.#composer.add(nodes);
  }

  /** @param {Element} node Goes to the end of the header. */
  addToHeader(node) {
    this.#status.after(node);
  }

  /** Put the keyboard's focus where a visitor goes on. */
  focus() {
    const { element } = this.#toggle;
    if (element.offsetParent) element.focus();
    else this.#composer.focus();
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
    this.#microphone.element.hidden = config.textOnly === true;
    this.element.classList.toggle("text-only", config.textOnly === true);
    this.element.classList.toggle("classic", config.skin === "classic");
    this.#unlock.textContent = texts.tap_to_talk;
    this.#interrupt.title = texts.stop_talking;
    this.#interrupt.setAttribute("aria-label", texts.stop_talking);
    this.transcript.setWords(texts);
  }

  /** @param {View} view */
  show(view) {
    const { texts } = this.#config;
    const connecting = view.active && view.state === "connecting";
    this.element.dataset.state = view.state;
    // Without a voice there is nothing but typing, whatever the row says.
    this.#composer.element.hidden = this.#config.textBox === false && !view.textOnly;
    this.element.classList.toggle("typing", view.textOnly);
    const words = statusWords(view, texts);
    if (this.#status.textContent !== words) this.#status.textContent = words;
    this.#microphone.show(microphoneLook(view), view.muted ? texts.unmute : texts.mute);
    this.#toggle.show(
      view.active ? "active" : "default",
      view.active ? texts.stop : texts.start,
      { busy: connecting },
    );
    this.#loading.dataset.progress = view.progress ? percent(view.progress) : "";
    this.#loading.hidden = !connecting || this.#config.loading?.display === false;
    this.#interrupt.hidden = view.state !== "speaking";
    this.#unlock.hidden = view.state !== "needs-gesture";
    this.#tool.hidden = !view.tool;
    this.#tool.textContent = view.tool
      ? texts.using_tool.replace("{name}", view.tool)
      : "";
    this.#problem.show(view.problem);
    this.#showKey(view.key);
    this.#showSound(view);
    this.#timeLeft?.show(view);
    this.transcript.follow();
    const moves = ["hearing", "listening", "speaking"].includes(view.state);
    if (moves && !view.textOnly) this.#avatar.follow(view.levels);
    else this.#avatar.stop();
  }

  /** @param {View["key"]} key Loaded by the first conversation that needs it. */
  async #showKey(key) {
    if (key.shown && !this.#talkKey) {
      const loaded = await ifLoaded(import("./talk-key.js"));
      // Its last state counts, and one of it is enough.
      if (loaded && !this.#talkKey) {
        const { TalkKeyView } = loaded;
        this.#talkKey = new TalkKeyView(this.#config.texts, this.#key);
        addStyles(this.element, TalkKeyView.sheet);
        this.#buttons.before(this.#talkKey.element);
      }
    }
    this.#microphone.element.hidden = key.shown || this.#config.textOnly === true;
    this.#talkKey?.show(key);
  }

  /** @param {View} view Its menu is loaded by the first conversation by voice. */
  async #showSound({ active, textOnly, state }) {
    const { soundMenu, skin, texts } = this.#config;
    const wanted = soundMenu !== false && skin !== "classic";
    const shown = wanted && active && !textOnly && state !== "connecting";
    this.#hasSound = shown;
    if (shown && !this.#soundMenu) {
      const loaded = await ifLoaded(import("./sound-menu.js"));
      if (loaded && !this.#soundMenu) {
        const { SoundMenu } = loaded;
        this.#soundMenu = new SoundMenu(texts, this.#sound);
        addStyles(this.element, SoundMenu.sheet);
        this.#avatar.element.append(this.#soundMenu.button);
        this.#buttons.before(this.#soundMenu.element);
      }
    }
    // While it was loaded the conversation may have ended.
    this.#soundMenu?.show(this.#hasSound);
  }

  /**
   * Tell that the conversation ends soon.
   *
   * @param {Record<string, any>} warning Of the server.
   */
  async warn({ code, left_s: leftS, message }) {
    const loaded = await ifLoaded(import("./time-left.js"));
    if (loaded && !this.#timeLeft) {
      const { TimeLeftView } = loaded;
      this.#timeLeft = new TimeLeftView();
      addStyles(this.element, TimeLeftView.sheet);
      this.#tool.after(this.#timeLeft.element);
    }
    this.#timeLeft?.warn(code, message || this.#config.texts[`warn_${code}`], leftS);
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

/** @param {number} share */
const percent = (share) => share.toLocaleString(undefined, { style: "percent" });

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
function statusWords({ state, muted, textOnly, active, key }, texts) {
  if (state === "error") return texts.error;
  if (state === "needs-gesture") return texts.tap_to_talk;
  if (active && muted && !textOnly && state === "listening") return texts.state_muted;
  if (textOnly && state === "listening") return texts.text_only_hint;
  if (key.shown && state === "listening") return texts.state_waiting;
  return texts[`state_${state}`] ?? "";
}
