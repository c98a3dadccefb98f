/** `<realtime-widget>`: attributes, methods and events; everything else is delegated. */

import {
  changed,
  configFrom,
  configOnPage,
  parsed,
  takeEarlyProperties,
  variablesOf,
} from "./config.js";
import { ConversingElement } from "./conversing.js";
import { LazyCall, warm } from "./lazy-call.js";
import { loadParts, lookSheet } from "./parts.js";
import { Panel } from "./views/panel.js";
import { adoptStyles } from "./views/styles.js";

/** Troubles that are over when the next answer comes. */
const PASSING = new Set([
  "response_failed",
  "too_fast",
  "text_too_long",
  "bad_picture",
  "invalid_field",
]);

export class RealtimeWidgetElement extends ConversingElement {
  static observedAttributes = [
    "config",
    "src",
    "directconnection",
    "auxiliarystyle",
    "look",
  ];

  /** @type {{started?: (detail: object) => void, stopped?: (detail: object) => void}} */
  events = {};
  /** @type {((body: object) => void) | null} Called with every complete message. */
  onMessage = null;
  /** @type {Record<string, any> | null} As it came, before the page's own looks. */
  #given = null;
  /** @type {Record<string, any> | null} */
  #config = null;
  /** @type {Record<string, any> | null} */
  #directConnection = null;
  /** @type {string | null} */
  #auxiliaryStyle = null;
  /** Bumped with everything that builds the widget anew. */
  #turn = 0;
  /** CSS of what was loaded for this widget, its look first. */
  #sheets = [""];
  /** @type {import("./extras.js").Extras | null} */
  #extras = null;
  /** @type {Panel | null} */
  #panel = null;
  /** @type {(import("./views/problem.js").Problem & {code: string}) | null} */
  #problem = null;
  #tool = "";
  #shownState = "";
  /** Where the configuration is being loaded from, "" while it is not. */
  #loading = "";
  #onPageHide = () => this._call?.abandon();
  /** @param {PageTransitionEvent} event Of a page that may have been asleep. */
  #onPageShow = ({ persisted }) => persisted && this.#goOn();

  /**
   * Define the element, once.
   *
   * @param {string} [tag]
   * @param {CustomElementRegistry} [registry]
   */
  static define(tag = "realtime-widget", registry = customElements) {
    if (!registry.get(tag)) registry.define(tag, RealtimeWidgetElement);
  }

  connectedCallback() {
    window.addEventListener("pagehide", this.#onPageHide);
    window.addEventListener("pageshow", this.#onPageShow);
    takeEarlyProperties(this);
    // What a copy of another one says of itself is not true of this one.
    if (!this.#panel) this.removeAttribute("state");
    if (!this.#given) this.#readConfig();
    else if (!this.#panel || this._building) this.#prepare();
  }

  disconnectedCallback() {
    // A move in the document disconnects and connects in one go; the call goes on.
    queueMicrotask(() => {
      if (this.isConnected) return;
      window.removeEventListener("pagehide", this.#onPageHide);
      window.removeEventListener("pageshow", this.#onPageShow);
      this._call?.abandon();
      this.#panel?.rest();
    });
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (!this.isConnected) return;
    if (!this.#given) this.#readConfig();
    else if (name === "auxiliarystyle") this.#wear();
    else if (name === "look") this.#changeLook();
    else if (name === "directconnection") this.directConnection = null;
  }

  // --- properties ----------------------------------------------------------------

  /** The widget's configuration; the tag puts it beside the element. */
  get config() {
    return this.#config;
  }

  set config(config) {
    if (this._call?.session.active) this.stop();
    this.#given = config;
    this.#config = config;
    if (this.isConnected) this.#prepare();
  }

  /** What deep-chat takes under this name; looks, events and functions are used. */
  get directConnection() {
    const text = this.getAttribute("directConnection");
    if (text && !this.#directConnection) this.#directConnection = parsed(text);
    return this.#directConnection;
  }

  set directConnection(given) {
    this.#directConnection = given;
    if (this.#given) this.#again();
  }

  /** More CSS for the inside of the element. */
  get auxiliaryStyle() {
    return this.#auxiliaryStyle ?? this.getAttribute("auxiliaryStyle") ?? "";
  }

  set auxiliaryStyle(css) {
    this.#auxiliaryStyle = css;
    this.#wear();
  }

  /** The methods under the names older pages use. */
  get methods() {
    return {
      /** @param {Record<string, any>} config */
      updateConfig: (config) => this.updateConfig(config),
      /**
       * There it spoke as the system unless it was told; the widget may not allow it.
       *
       * @type {(text: string, role?: string) => void}
       */
      sendMessage: (text, role) => {
        const allowed = this.#config?.messageRoles?.includes("system");
        this.sendMessage(text, role ?? (allowed ? "system" : "user"));
      },
    };
  }

  // --- methods -------------------------------------------------------------------

  /** Begin a conversation; call it in a click where you can. */
  async start() {
    if (this._waits(() => this.start())) return;
    await this.#start(this.#config?.textOnly === true);
  }

  /**
   * Say something in writing; begins a conversation without microphone if none runs.
   *
   * @param {string} text
   * @param {string} [role] user, or another one that the widget allows.
   */
  sendMessage(text, role = "user") {
    if (!text || this._waits(() => this.sendMessage(text, role))) return;
    this._call?.sendMessage(text, role);
    if (!this._call?.session.active) this.#start(true);
  }

  /**
   * Show the model a picture, where the widget allows it; begins a conversation as
   * `sendMessage` does. It is made smaller here, and its hidden data are left behind.
   *
   * @param {Blob} file
   * @param {string} [text] What to say about it.
   * @throws {TypeError} If it is no picture that can be shown.
   */
  async sendPicture(file, text = "") {
    const { pictureBytes } = this.#config ?? {};
    if (!pictureBytes) throw new TypeError("this widget takes no pictures");
    const { MARK, smallPicture } = await import("./views/small-picture.js");
    const picture = await smallPicture(file, pictureBytes);
    this._call?.sendMessage(`${MARK} ${text}`.trim(), "user", picture);
    if (!this._call?.session.active) this.#start(true);
  }

  /**
   * Change looks and words at once.
   *
   * @param {Record<string, any>} config
   */
  updateConfig(config) {
    if (!this.#config) return;
    if (config.function_handler) this.functionHandler = config.function_handler;
    this.#config = changed(this.#config, config);
    this.setAttribute("theme", this.#config.theme ?? "auto");
    if (config.look) this.setAttribute("look", config.look);
    this.#panel?.setConfig(this.#config);
    this.#render();
  }

  // --- inside --------------------------------------------------------------------

  #readConfig() {
    const src = this.getAttribute("src");
    const config = configOnPage(this.getAttribute("config"));
    if (config) this.config = config;
    else if (src) this.#loadConfig(src);
    else console.error("realtime-widget: its configuration is not on this page");
  }

  /** @param {string} src */
  async #loadConfig(src) {
    if (this.#loading === src) return;
    this.#loading = src;
    const language = this.lang || document.documentElement.lang;
    let config = null;
    let failure = null;
    try {
      config = await configFrom(src, language);
    } catch (error) {
      failure = error;
    }
    // Meanwhile the page may have given another address, or a configuration.
    if (this.#loading !== src) return;
    this.#loading = "";
    if (this.#given) return;
    if (config) this.config = config;
    else this.#notLoaded(failure);
  }

  /** @param {any} error What stands inside the element stays to be seen. */
  #notLoaded(error) {
    const { code = "internal", words: message = "", retryable = false } = error;
    console.error(`realtime-widget: its configuration could not be loaded (${code})`);
    const detail = { code, message, retryable, fatal: true };
    this.#dispatch("realtime-widget:error", detail);
  }

  /** Load what this widget needs beyond the usual, then build it. */
  async #prepare() {
    this.#turn += 1;
    const turn = this.#turn;
    if (!this.#given) return;
    this._building = true;
    const parts = await loadParts(this, this.#given, this.directConnection);
    if (turn !== this.#turn || !this.isConnected) return;
    this.#config = parts.config;
    this.#sheets = parts.sheets;
    this.#build(parts);
  }

  async #changeLook() {
    const name = this.getAttribute("look");
    const look = await lookSheet(name);
    if (name !== this.getAttribute("look")) return;
    this.#sheets[0] = look;
    this.#wear();
  }

  /** Build the widget anew; a conversation that runs ends. */
  #again() {
    if (this._call?.session.active) this.stop();
    if (this.isConnected) this.#prepare();
  }

  /** Put the sheets on, those of the page last. */
  #wear() {
    if (!this.shadowRoot) return;
    const own = [this.#config?.auxiliaryStyle, this.auxiliaryStyle];
    const [look, ...sheets] = this.#sheets;
    adoptStyles(this.shadowRoot, [look, this.#extras?.sheet, ...sheets, ...own]);
  }

  /** @param {import("./parts.js").Parts} parts */
  #build({ config, figure, Extras }) {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    if (!this.hasAttribute("theme")) this.setAttribute("theme", config.theme ?? "auto");
    if (config.dir && !this.hasAttribute("dir")) this.dir = config.dir;
    const muted = this.muted;
    this._call = new LazyCall(config, this.#callEvents(), muted);
    const actions = {
      toggle: () => this.#toggle(),
      microphone: () => this.toggleMicrophone(),
      unlock: () => this._call?.call?.unlock(),
      send: (/** @type {string} */ text) => {
        if (!this.#extras?.takes(text)) this.sendMessage(text);
      },
      interrupt: () => this.interrupt(),
      key: this,
      sound: this,
    };
    const panel = new Panel(config, actions, figure);
    this.#panel = panel;
    this.#extras = Extras
      ? new Extras(this, config, this.#panel, {
          send: (text) => this.sendMessage(text),
          stop: () => this.stop(),
          lines: () => this._call?.lines ?? [],
          sendPicture: (file, text) => this.sendPicture(file, text),
          fail: (code) =>
            this.#fail({ code, words: "", retryable: false, fatal: false }),
        })
      : null;
    this.#wear();
    root.replaceChildren(...(this.#extras?.nodes ?? [this.#panel.element]));
    this.#render();
    // Later than what takes out the element that this one stands for.
    setTimeout(() => {
      if (this.#panel !== panel) return;
      const goesOn = this.#goOn();
      this._built();
      if (goesOn) return;
      if (config.autoStart) this.start();
      else warm(this, config.textOnly === true);
    });
  }

  /** Go on with what another page of the tab has left; return whether there was any. */
  #goOn() {
    const left = this.isConnected && this._call?.resume();
    if (left) this.#start(left.textOnly, left.resume);
    return Boolean(left);
  }

  /** @returns {Omit<import("./call.js").CallEvents, "onResumable">} */
  #callEvents() {
    return {
      onChange: () => this.#render(),
      onMessage: (message) => this.#announce(message),
      onLine: (line, isFinal) => this.#said(line, isFinal),
      onStarted: () => {
        const detail = { session_id: this._call?.session.sessionId ?? "" };
        this.#tell("started", detail);
        this.#dispatch("sts-session-started", detail);
      },
      onCut: () => {
        this.#tool = "";
        this._tools.cut();
      },
      onBack: (resumed) => {
        const detail = { session_id: this._call?.session.sessionId ?? "", resumed };
        this.#dispatch("realtime-widget:resumed", detail);
      },
      onRestored: () => this.#showLines(),
      onStopped: (detail) => {
        this.#endTools();
        this.#render();
        this.#tell("stopped", detail);
        this.#dispatch("sts-session-stopped", detail);
      },
      onFailure: (failure) => this.#fail(failure),
    };
  }

  /**
   * Call the page's function; those of a `directConnection` may come late.
   *
   * @param {"started" | "stopped"} name
   * @param {object} detail
   */
  #tell(name, detail) {
    this.events[name]?.(detail);
    this.#directConnection?.openAI?.realtime?.events?.[name]?.(detail);
  }

  /** What was asked by a session that is gone is asked no more. */
  #endTools() {
    this.#tool = "";
    this._tools.end();
  }

  /**
   * @param {boolean} textOnly
   * @param {string} [resume] Names a conversation to go on with.
   */
  async #start(textOnly, resume) {
    if (!this._call || this._call.session.active) return;
    if (this.#extras?.asks(() => this.#start(textOnly, resume))) return;
    this.#problem = null;
    this.#tool = "";
    const variables = variablesOf(this, this.#config?.variables ?? []);
    const started = this._call.start({ textOnly, variables, resume });
    this.#panel?.transcript.show([]);
    await started;
  }

  #toggle() {
    if (this._call?.session.active) this.stop();
    else this.start();
  }

  /** @param {Parameters<import("./call.js").CallEvents["onFailure"]>[0]} failure */
  #fail({ code, words, retryable, fatal }) {
    const { texts = {}, errors = {}, error = {} } = this.#config ?? {};
    const shown = (fatal && error.text) || words || errors[code] || texts[code];
    this.#problem = { code, words: shown || texts.error, retryable, fatal };
    this.#render();
    const message = this.#problem.words;
    this.#dispatch("realtime-widget:error", { code, message, retryable, fatal });
  }

  /**
   * @param {import("./transcript.js").Line} line
   * @param {boolean} isFinal
   */
  #said(line, isFinal) {
    if (line.role === "assistant" && PASSING.has(this.#problem?.code ?? "")) {
      this.#problem = null;
    }
    this.#showLines();
    this.#render();
    const announcing = this._call?.announcing;
    if (!announcing) return;
    this.#dispatch("realtime-widget:transcript", announcing.transcriptOf(line));
    if (!isFinal || line.role === "system") return;
    const detail = announcing.messageOf(line);
    this.#dispatch("realtime-widget:message", detail);
    // The older name does not leave the element: pages use it for other things.
    this.dispatchEvent(new CustomEvent("message", { detail }));
    this.onMessage?.(detail);
  }

  #showLines() {
    if (this.#config?.captions === false && !this._call?.session.textOnly) return;
    this.#panel?.transcript.show(this._call?.lines ?? []);
  }

  /** @param {Record<string, any>} message */
  #announce(message) {
    this._tools.take(message, {
      root: this.shadowRoot,
      words: this.#config?.texts ?? {},
      send: (answer) => this._call?.call?.answerTool(answer),
    });
    if (message.type === "warning") this.#panel?.warn(message);
    const { announcing, lines = [] } = this._call ?? {};
    if (!announcing) return;
    this.#tool = announcing.toolInUse(message, this.#tool);
    for (const event of announcing.eventsOf(message, lines)) this.#dispatch(...event);
  }

  #render() {
    const call = this._call;
    if (!call || !this.#panel) return;
    const { session } = call;
    const { state, active, muted } = session;
    const view = {
      state,
      active,
      muted,
      textOnly: active ? session.textOnly : this.#config?.textOnly === true,
      tool: this.#tool,
      problem: this.#problem,
      progress: session.progress,
      levels: () => call.levels,
      key: call.key,
    };
    this.#panel.show(view);
    this.#extras?.show(view, call.lines.length, session.sessionId);
    this.setAttribute("state", state);
    this.toggleAttribute("muted", muted);
    const shown = `${state} ${muted}`;
    if (shown === this.#shownState) return;
    this.#shownState = shown;
    this.#dispatch("realtime-widget:state", { state, muted });
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  #dispatch(name, detail) {
    this.dispatchEvent(
      new CustomEvent(name, { detail, bubbles: true, composed: true }),
    );
  }
}
