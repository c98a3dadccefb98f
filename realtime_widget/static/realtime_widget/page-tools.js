/**
 * The page's part in tools: functions of its own, and the visitor's word on others.
 *
 * @typedef {(args: any) => unknown} PageTool Gets the parsed arguments.
 * @typedef {(call: {name: string, arguments: string}) => unknown} FunctionHandler
 *   One function for all tools; gets the arguments as JSON text.
 * @typedef {object} Place Where questions are shown, and where answers go.
 * @property {ShadowRoot | null} root
 * @property {Record<string, string>} words
 * @property {(answer: Record<string, unknown>) => void} send
 */

export class PageTools {
  /** @type {FunctionHandler | null} */
  functionHandler = null;
  /** @type {Map<string, PageTool>} */
  #tools = new Map();
  /** @type {Promise<import("./views/approvals.js").ApprovalsView> | null} */
  #approvals = null;
  /** What was asked and may be asked again, after a cut: it is done once. */
  /** @type {Map<string, Promise<Record<string, unknown>>>} */
  #calls = new Map();

  /**
   * @param {string} name
   * @param {PageTool} run
   */
  register(name, run) {
    if (typeof run !== "function") {
      throw new TypeError(`The tool "${name}" needs a function`);
    }
    this.#tools.set(name, run);
  }

  /**
   * Do what one of the server's messages asks of the page.
   *
   * @param {Record<string, any>} message
   * @param {Place} place
   */
  async take(message, place) {
    if (message.type === "tool.call") {
      const { call_id: callId } = message;
      const answer =
        this.#calls.get(callId) ?? this.answer(/** @type {any} */ (message));
      this.#calls.set(callId, answer);
      place.send(await answer);
    } else if (message.type === "tool.approval_required") {
      this.#approvals ??= questions(place);
      (await this.#approvals).ask(message);
    } else if (message.type.startsWith("tool.")) {
      if (message.type === "tool.finished") this.#calls.delete(message.call_id);
      (await this.#approvals)?.close(message.call_id);
    }
  }

  /** The conversation is over: nothing is asked any more. */
  async end() {
    this.#calls.clear();
    await this.cut();
  }

  /** The connection is lost: who comes back is asked again. */
  async cut() {
    (await this.#approvals)?.clear();
  }

  /**
   * Run a call and return the message that answers it, whatever happens.
   *
   * Only the words of an error that is named `ToolError` are meant for the agent.
   *
   * @param {{call_id: string, name: string, arguments: string}} call
   * @returns {Promise<Record<string, unknown>>}
   */
  async answer({ call_id, name, arguments: text }) {
    const answer = { type: "tool.result", call_id };
    try {
      return { ...answer, output: await this.#run(name, text) };
    } catch (error) {
      const { name: kind, message } = /** @type {Error} */ (error ?? {});
      if (kind === "ToolError" && message) return { ...answer, error: message };
      console.error(`The tool "${name}" failed`, error);
      return { ...answer, error: "failed" };
    }
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  #run(name, text) {
    const run = this.#tools.get(name);
    if (run) return run(JSON.parse(text || "{}"));
    if (this.functionHandler) return this.functionHandler({ name, arguments: text });
    throw new Error("no function in the page has this name");
  }
}

/**
 * Return the message that lets a call run, or not.
 *
 * @param {string} callId
 * @param {{approve: boolean, always: boolean}} answer
 */
export function approval(callId, answer) {
  return { type: "tool.approval", call_id: callId, ...answer };
}

/**
 * Load what shows questions, with the first one.
 *
 * @param {Place} place
 */
async function questions({ root, words, send }) {
  const { ApprovalsView } = await import("./views/approvals.js");
  return new ApprovalsView(root, words, (callId, answer) =>
    send(approval(callId, answer)),
  );
}
