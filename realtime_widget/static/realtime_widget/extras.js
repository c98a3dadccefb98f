/**
 * What only some widgets have: a floating form, languages, questions to tap, words to agree to,
 * copy and download, opinions.
 *
 * Loaded before the first paint of a widget whose configuration asks for it.
 */

import { LanguagesView } from "./languages.js";
import { ConsentView } from "./views/consent.js";
import { FeedbackView } from "./views/feedback.js";
import { FormView } from "./views/forms.js";
import { PictureView } from "./views/picture.js";
import { SuggestionsView } from "./views/suggestions.js";
import { TranscriptTools } from "./views/transcript-tools.js";

/** Before each try to save an opinion. */
const SAVE_WAITS_MS = [0, 1_000, 3_000];

/**
 * @typedef {object} Doings
 * @property {(text: string) => void} send
 * @property {() => void} stop
 * @property {() => import("./transcript.js").Line[]} lines
 * @property {(file: File, text: string) => Promise<void>} sendPicture
 * @property {(code: string) => void} fail
 */

export class Extras {
  #form;
  #config;
  /** @type {SuggestionsView | undefined} */
  #suggestions;
  /** @type {TranscriptTools | undefined} */
  #tools;
  /** @type {ConsentView | undefined} */
  #consent;
  /** @type {FeedbackView | undefined} */
  #feedback;
  /** @type {PictureView | undefined} */
  #picture;
  /** Of the conversation that runs or ran last. */
  #sessionId = "";

  /**
   * @param {HTMLElement} host
   * @param {Record<string, any>} config
   * @param {import("./views/panel.js").Panel} panel
   * @param {Doings} doings
   */
  constructor(host, config, panel, { send, stop, lines, sendPicture, fail }) {
    const { texts } = config;
    this.#config = config;
    this.#form = new FormView(host, config, panel, stop);
    if (config.suggestions?.length) {
      this.#suggestions = new SuggestionsView(config.suggestions, texts, send);
      panel.addAboveBox(this.#suggestions.element);
    }
    if (config.languages?.length) {
      panel.addAboveBox(new LanguagesView(host, config).element);
    }
    if (config.transcriptTools) {
      this.#tools = new TranscriptTools(texts, config.title, lines);
      panel.addAboveBox(this.#tools.element);
    }
    if (config.pictureBytes) {
      this.#picture = new PictureView(texts, { send: sendPicture, fail });
      panel.addAboveBox(this.#picture.element);
      panel.addBesideBox(this.#picture.nodes);
    }
    if (config.consent?.hash) {
      const consent = new ConsentView(config);
      this.#consent = consent;
      panel.addAboveBox(consent.element);
      host.addEventListener("realtime-widget:error", (event) => {
        const { code } = /** @type {CustomEvent} */ (event).detail;
        if (code === "consent") consent.forget();
      });
    }
    if (config.feedbackUrl) {
      const feedback = new FeedbackView(texts, (opinion) => this.#save(opinion));
      this.#feedback = feedback;
      panel.addAboveBox(feedback.element);
      panel.transcript.onAnswer = (line, { of }) => feedback.mark(line, of);
    }
  }

  /** What goes into the element, outermost first. */
  get nodes() {
    return this.#form.nodes;
  }

  /** CSS for all of it. */
  get sheet() {
    const views = [
      FormView,
      LanguagesView,
      SuggestionsView,
      TranscriptTools,
      ConsentView,
      FeedbackView,
      PictureView,
    ];
    return views.map(({ sheet }) => sheet).join("");
  }

  /**
   * Ask for what is needed before the start.
   *
   * @param {() => void} proceed
   * @returns {boolean} Whether the start has to wait.
   */
  asks(proceed) {
    return this.#consent?.asks(proceed) ?? false;
  }

  /**
   * Send what was written together with a picture, where one was chosen.
   *
   * @param {string} text
   * @returns {boolean} Whether there was one.
   */
  takes(text) {
    return this.#picture?.takes(text) ?? false;
  }

  /**
   * @param {import("./views/panel.js").View} view
   * @param {number} count Lines that were said.
   * @param {string} sessionId "" before the session has started.
   */
  show(view, count, sessionId) {
    if (sessionId) this.#sessionId = sessionId;
    this.#form.show(view);
    this.#suggestions?.show(count === 0);
    this.#tools?.show(count > 0);
    this.#feedback?.ask(!view.active && count > 0 && this.#sessionId !== "");
  }

  /**
   * Have an opinion written down; one of the whole is of the newest session.
   *
   * @param {import("./views/feedback.js").Opinion} opinion
   * @returns {Promise<boolean>} Whether it was.
   */
  async #save(opinion) {
    const body = JSON.stringify({ session_id: this.#sessionId, ...opinion });
    // The conversation itself may not be written down yet.
    for (const waitMs of SAVE_WAITS_MS) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (await this.#post(body)) return true;
    }
    return false;
  }

  /** @param {string} body */
  async #post(body) {
    try {
      const answer = await fetch(this.#config.feedbackUrl, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json" },
        body,
      });
      return answer.ok;
    } catch {
      return false;
    }
  }
}
