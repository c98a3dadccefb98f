/** `<realtime-widget>`: attributes, methods and events; everything else is delegated. */

import { Call } from "./call.js";
import { configFrom, configOnPage } from "./config.js";
import { PageTools } from "./page-tools.js";
import { Panel } from "./views/panel.js";
import { adoptStyles } from "./views/styles.js";

/** What a page may change while it runs; the rest belongs to the server. */
const CHANGEABLE = ["title", "theme", "avatar", "buttons", "loading", "error", "texts"];
/** Troubles that are over when the next answer comes. */
const PASSING = new Set([
  "response_failed",
  "too_fast",
  "text_too_long",
  "invalid_field",
]);

export class RealtimeWidgetElement extends HTMLElement {
  static observedAttributes = ["config", "src"];

  /** @type {{started?: (detail: object) => void, stopped?: (detail: object) => void}} */
  events = {};
  /** @type {Record<string, any> | null} */
  #config = null;
  /** @type {Call | null} */
  #call = null;
  /** @type {Panel | null} */
  #panel = null;
  #tools = new PageTools();
  /** @type {(import("./views/problem.js").Problem & {code: string}) | null} */
  #problem = null;
  #tool = "";
  #shownState = "";
  /** Where the configuration is being loaded from, "" while it is not. */
  #loading = "";
  #onPageHide = () => this.#call?.abandon();

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
    if (!this.#config) this.#readConfig();
    else if (!this.#panel) this.#build();
  }

  disconnectedCallback() {
    // A move in the document disconnects and connects in one go; the call goes on.
    queueMicrotask(() => {
      if (this.isConnected) return;
      window.removeEventListener("pagehide", this.#onPageHide);
      this.#call?.abandon();
      this.#panel?.rest();
    });
  }

  attributeChangedCallback() {
    if (this.isConnected && !this.#config) this.#readConfig();
  }

  // --- properties ----------------------------------------------------------------

  /** The widget's configuration; the tag puts it beside the element. */
  get config() {
    return this.#config;
  }

  set config(config) {
    if (this.#call?.session.active) this.stop();
    this.#config = config;
    if (this.isConnected) this.#build();
  }

  /** @returns {import("./session.js").WidgetState} */
  get state() {
    return this.#call?.session.state ?? "idle";
  }

  get muted() {
    return this.#call?.session.muted ?? false;
  }

  /** One function for all tools that run in the page. */
  get functionHandler() {
    return this.#tools.functionHandler;
  }

  set functionHandler(handler) {
    this.#tools.functionHandler = handler;
  }

  /** The methods under the names older pages use. */
  get methods() {
    return {
      /** @param {Record<string, any>} config */
      updateConfig: (config) => this.updateConfig(config),
      /** @type {(text: string, role?: string) => void} */
      sendMessage: (text, role) => this.sendMessage(text, role),
    };
  }

  // --- methods -------------------------------------------------------------------

  /** Begin a conversation; call it in a click where you can. */
  async start() {
    await this.#start(this.#config?.textOnly === true);
  }

  /** End the conversation. */
  stop() {
    this.#call?.stop();
  }

  /** Mute or unmute the microphone; works before the start too. */
  toggleMicrophone() {
    this.#call?.toggleMicrophone();
  }

  /** Silence the answer that is being spoken. */
  interrupt() {
    return this.#call?.interrupt();
  }

  /**
   * Say something in writing; begins a conversation without microphone if none runs.
   *
   * @param {string} text
   * @param {string} [role] user, or another one that the widget allows.
   */
  sendMessage(text, role = "user") {
    if (!this.#call || !text) return;
    this.#call.sendMessage(text, role);
    if (!this.#call.session.active) this.#start(true);
  }

  /**
   * Change looks and words at once.
   *
   * @param {Record<string, any>} config
   */
  updateConfig(config) {
    if (!this.#config) return;
    for (const name of Object.keys(config)) {
      if (CHANGEABLE.includes(name)) continue;
      console.info(
        `realtime-widget: "${name}" is set on the server and stays as it is`,
      );
    }
    const own = Object.entries(config).filter(([name]) => CHANGEABLE.includes(name));
    const texts = { ...this.#config.texts, ...config.texts };
    this.#config = { ...this.#config, ...Object.fromEntries(own), texts };
    this.setAttribute("theme", this.#config.theme ?? "auto");
    this.#panel?.setConfig(this.#config);
    this.#render();
  }

  /**
   * Give the agent a function of the page.
   *
   * @param {string} name The tool's name.
   * @param {import("./page-tools.js").PageTool} run
   */
  registerTool(name, run) {
    this.#tools.register(name, run);
  }

  /** Counters of the audio, for tests and for support. */
  getStats() {
    return this.#call?.getStats() ?? {};
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
    if (this.#config) return;
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

  #build() {
    const config = this.#config;
    if (!config) return;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    adoptStyles(root);
    if (!this.hasAttribute("theme")) this.setAttribute("theme", config.theme ?? "auto");
    if (config.dir && !this.hasAttribute("dir")) this.dir = config.dir;
    const muted = this.muted;
    this.#call = new Call(/** @type {any} */ (config), this.#callEvents());
    this.#call.session.muted = muted;
    this.#panel = new Panel(config, {
      toggle: () => this.#toggle(),
      microphone: () => this.toggleMicrophone(),
      unlock: () => this.#call?.unlock(),
      send: (text) => this.sendMessage(text),
    });
    root.replaceChildren(this.#panel.element);
    this.#render();
    if (config.autoStart) this.start();
  }

  /** @returns {import("./call.js").CallEvents} */
  #callEvents() {
    return {
      onChange: () => this.#render(),
      onMessage: (message) => this.#announce(message),
      onLine: (line, isFinal) => this.#said(line, isFinal),
      onStarted: () => {
        const detail = { session_id: this.#call?.session.sessionId ?? "" };
        this.events.started?.(detail);
        this.#dispatch("sts-session-started", detail);
      },
      onStopped: (detail) => {
        this.#tool = "";
        this.#render();
        this.events.stopped?.(detail);
        this.#dispatch("sts-session-stopped", detail);
      },
      onFailure: (failure) => this.#fail(failure),
    };
  }

  /** @param {boolean} textOnly */
  async #start(textOnly) {
    if (!this.#call || this.#call.session.active) return;
    this.#problem = null;
    this.#tool = "";
    const started = this.#call.start({ textOnly, variables: this.#variables() });
    this.#panel?.transcript.show([]);
    await started;
  }

  /** Values of the page that the widget allows, from `data-…` attributes. */
  #variables() {
    /** @type {Record<string, string>} */
    const variables = {};
    for (const name of this.#config?.variables ?? []) {
      const value = this.getAttribute(`data-${name.replaceAll("_", "-")}`);
      if (value !== null) variables[name] = value;
    }
    return variables;
  }

  #toggle() {
    if (this.#call?.session.active) this.stop();
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
    if (this.#config?.captions !== false || this.#call?.session.textOnly) {
      this.#panel?.transcript.show(this.#call?.transcript.lines ?? []);
    }
    const { itemId, role, text, final } = line;
    this.#dispatch("realtime-widget:transcript", {
      item_id: itemId,
      role,
      text,
      final,
    });
    if (!isFinal || role === "system") return;
    const message = { role: role === "assistant" ? "ai" : "user", text };
    const detail = { message, isHistory: false, isInitial: false };
    this.#dispatch("realtime-widget:message", detail);
  }

  /** @param {Record<string, any>} message */
  #announce(message) {
    if (message.type === "tool.started") {
      this.#tool = message.note || readable(message.name);
      this.#dispatch("realtime-widget:tool", { ...message, status: "started" });
    } else if (message.type === "tool.finished") {
      this.#tool = "";
      this.#dispatch("realtime-widget:tool", message);
    } else if (message.type === "tool.call") {
      this.#tools
        .answer(/** @type {any} */ (message))
        .then((answer) => this.#call?.answerTool(answer));
    } else if (message.type === "handoff") {
      this.#dispatch("realtime-widget:handoff", message);
    } else if (message.type === "usage") {
      this.#dispatch("realtime-widget:usage", message);
    }
  }

  #render() {
    const session = this.#call?.session;
    if (!session || !this.#panel) return;
    const { state, active, muted } = session;
    this.#panel.show({
      state,
      active,
      muted,
      textOnly: active ? session.textOnly : this.#config?.textOnly === true,
      tool: this.#tool,
      problem: this.#problem,
      levels: () => ({
        analyser: this.#call?.analyser ?? null,
        level: this.#call?.level ?? 0,
      }),
    });
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

/**
 * Make a tool's name one that can be read.
 *
 * @param {string} name
 */
function readable(name) {
  return name.replaceAll("_", " ");
}
