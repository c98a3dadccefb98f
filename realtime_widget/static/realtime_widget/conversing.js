/** What a page may do with a widget's conversation: the element's first half. */

import { choose, chosen } from "./choices.js";
import { approval, PageTools } from "./page-tools.js";

export class ConversingElement extends HTMLElement {
  /**
   * Of the element itself; pages leave it alone.
   *
   * @protected
   * @type {import("./lazy-call.js").LazyCall | null}
   */
  _call = null;

  /** @protected Whether the widget is being built, at first or anew. */
  _building = true;

  /** @protected Functions of the page, and the visitor's word on others. */
  _tools = new PageTools();

  /** @type {(() => void)[]} */
  #early = [];

  /**
   * Put off what has to wait until the widget stands: its call is another one then.
   *
   * @protected
   * @param {() => void} act
   * @returns {boolean} Whether it was put off.
   */
  _waits(act) {
    if (this._building) this.#early.push(act);
    return this._building;
  }

  /** @protected Do what was put off. */
  _built() {
    this._building = false;
    for (const act of this.#early.splice(0)) act();
  }

  /** @returns {import("./session.js").WidgetState} */
  get state() {
    return this._call?.session.state ?? "idle";
  }

  get muted() {
    return this._call?.session.muted ?? false;
  }

  /** Of the words and of the conversation; the widget's row says which there are. */
  get language() {
    return /** @type {any} */ (this).config?.language ?? "";
  }

  set language(code) {
    import("./languages.js").then(({ speak }) => speak(this, code));
  }

  /** How loud answers are, 0 to 1; remembered by the browser. */
  get volume() {
    return chosen().volume;
  }

  set volume(volume) {
    choose({ volume });
    this._call?.call?.choose();
  }

  /** End the conversation. */
  stop() {
    this._call?.stop();
  }

  /** Mute or unmute the microphone; works before the start too. */
  toggleMicrophone() {
    this._call?.toggleMicrophone();
  }

  /** Silence the answer that is being spoken. */
  interrupt() {
    return this._call?.call?.interrupt();
  }

  /** Push-to-talk: listen from now on; the answer that is spoken falls silent. */
  startTurn() {
    this._call?.call?.startTurn();
  }

  /** Push-to-talk: have what was said answered. */
  commitTurn() {
    this._call?.call?.commitTurn();
  }

  /** Push-to-talk: drop what was said. */
  cancelTurn() {
    this._call?.call?.cancelTurn();
  }

  /** @param {Record<string, unknown>} config What the widget lets pages change. */
  updateSession(config) {
    this._call?.call?.update(config);
  }

  /** One function for all tools that run in the page. */
  get functionHandler() {
    return this._tools.functionHandler;
  }

  set functionHandler(handler) {
    this._tools.functionHandler = handler;
  }

  /**
   * Give the agent a function of the page.
   *
   * @param {string} name The tool's name.
   * @param {import("./page-tools.js").PageTool} run
   */
  registerTool(name, run) {
    this._tools.register(name, run);
  }

  /**
   * Let a tool that asks first run, or not; the widget's buttons do the same.
   *
   * @param {string} callId
   * @param {{approve: boolean, always?: boolean}} answer `always`: also its later calls.
   */
  approveTool(callId, { approve, always = false }) {
    this._call?.call?.answerTool(approval(callId, { approve, always }));
  }

  /**
   * List the microphones and speakers, and which were chosen ("" is the system's).
   *
   * @returns {Promise<import("./audio/devices.js").Devices &
   *   {microphone: string, speaker: string}>}
   */
  async devices() {
    const { listDevices } = await import("./audio/devices.js");
    const { microphone, speaker } = chosen();
    return { ...(await listDevices()), microphone, speaker };
  }

  /**
   * Speak into another microphone, from now on.
   *
   * @param {string} id From `devices`, "" for the one the system prefers.
   */
  async chooseMicrophone(id) {
    choose({ microphone: id });
    await this._call?.call?.choose();
  }

  /**
   * Hear through another speaker, from now on; nothing where browsers do not allow it.
   *
   * @param {string} id From `devices`, "" for the one the system prefers.
   */
  async chooseSpeaker(id) {
    choose({ speaker: id });
    await this._call?.call?.choose();
  }

  /** Counters of the audio, for tests and for support. */
  getStats() {
    return this._call?.call?.getStats() ?? {};
  }
}
