/**
 * Tools whose function is in the page: `registerTool` and `functionHandler`.
 *
 * @typedef {(args: any) => unknown} PageTool Gets the parsed arguments.
 * @typedef {(call: {name: string, arguments: string}) => unknown} FunctionHandler
 *   One function for all tools; gets the arguments as JSON text.
 */

export class PageTools {
  /** @type {FunctionHandler | null} */
  functionHandler = null;
  /** @type {Map<string, PageTool>} */
  #tools = new Map();

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
   * Run a call and return the message that answers it, whatever happens.
   *
   * @param {{call_id: string, name: string, arguments: string}} call
   * @returns {Promise<Record<string, unknown>>}
   */
  async answer({ call_id, name, arguments: text }) {
    const answer = { type: "tool.result", call_id };
    try {
      return { ...answer, output: await this.#run(name, text) };
    } catch (error) {
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
