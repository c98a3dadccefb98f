/**
 * What both sides said, in the order of the conversation. Pure: no page, no socket.
 *
 * @typedef {object} Line
 * @property {string} itemId
 * @property {"user" | "assistant" | "system"} role
 * @property {string} text
 * @property {boolean} final No more words will come.
 * @property {boolean} interrupted The visitor cut in.
 *
 * @typedef {object} TranscriptMessage
 * @property {string} item_id
 * @property {Line["role"]} role
 * @property {string | null} [previous_item_id]
 * @property {string} [delta]
 * @property {string} [text]
 * @property {boolean} [final]
 */

export class Transcript {
  /** @type {Map<string, Line>} */
  #lines = new Map();
  /** @type {string[]} */
  #order = [];
  /** Item -> the one before it, as the server said last. */
  /** @type {Map<string, string | null>} */
  #previous = new Map();

  /** The lines, first to last. */
  get lines() {
    return this.#order.map((itemId) => /** @type {Line} */ (this.#lines.get(itemId)));
  }

  /**
   * Take a `transcript` message and return its line.
   *
   * Words of a visitor often arrive after the answer has begun: a line stands where
   * `previous_item_id` puts it, and moves when a later message knows better.
   *
   * @param {TranscriptMessage} message
   * @returns {Line}
   */
  take(message) {
    const line = this.#line(message);
    if (message.text !== undefined) line.text = message.text;
    else if (message.delta) line.text += message.delta;
    line.final = line.final || message.final === true;
    return line;
  }

  /**
   * Note that an answer was cut off.
   *
   * @param {string} itemId
   * @returns {Line | undefined}
   */
  interrupt(itemId) {
    const line = this.#lines.get(itemId);
    if (line) line.interrupted = true;
    return line;
  }

  /** Forget everything. */
  clear() {
    this.#lines.clear();
    this.#previous.clear();
    this.#order = [];
  }

  /** @param {TranscriptMessage} message */
  #line({ item_id: itemId, role, previous_item_id: previousId }) {
    let line = this.#lines.get(itemId);
    if (!line) {
      line = { itemId, role, text: "", final: false, interrupted: false };
      this.#lines.set(itemId, line);
      this.#place(itemId, previousId);
    } else if (previousId && previousId !== this.#previous.get(itemId)) {
      this.#order.splice(this.#order.indexOf(itemId), 1);
      this.#place(itemId, previousId);
    }
    if (previousId !== undefined) this.#previous.set(itemId, previousId);
    return line;
  }

  /**
   * Put a line directly behind the one before it.
   *
   * @param {string} itemId
   * @param {string | null | undefined} previousId null for the first; a line whose
   *   place is not known stands before what follows it, else at the end.
   */
  #place(itemId, previousId) {
    const before = previousId ? this.#order.indexOf(previousId) : -1;
    const next = this.#order.findIndex((other) => this.#previous.get(other) === itemId);
    if (before >= 0) this.#order.splice(before + 1, 0, itemId);
    else if (next >= 0) this.#order.splice(next, 0, itemId);
    else if (previousId === null) this.#order.unshift(itemId);
    else this.#order.push(itemId);
  }
}
