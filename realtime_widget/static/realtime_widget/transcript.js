/**
 * What both sides said, in the order of the conversation. Pure: no page, no socket.
 *
 * @typedef {object} Line
 * @property {string} key Unique in the page.
 * @property {string} itemId Of the server's session.
 * @property {"user" | "assistant" | "system"} role
 * @property {string} text
 * @property {boolean} final No more words will come.
 * @property {boolean} interrupted The visitor cut in.
 * @property {Item | null} of What it is to the server; null when that is not known.
 *
 * @typedef {object} Item
 * @property {string} session_id
 * @property {string} item_id
 *
 * @typedef {object} Said What the server knows of the conversation.
 * @property {Line["role"]} role
 * @property {string} text
 * @property {string} [item_id] Of the session that goes on.
 * @property {boolean} [interrupted]
 * @property {Item} [of] What an answer of an earlier session is.
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
  /** Of the session that the newest lines belong to. */
  #sessionId = "";
  /** How many sessions of the conversation came before; item ids begin anew in each. */
  #part = 0;
  /** How many lines are theirs: these stand first. */
  #before = 0;
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
    const line = this.#lines.get(this.#keyOf(itemId));
    if (line) line.interrupted = true;
    return line;
  }

  /**
   * Begin a conversation with this session.
   *
   * @param {string} sessionId
   */
  begin(sessionId) {
    this.clear();
    this.#sessionId = sessionId;
  }

  /**
   * Go on with the conversation, in a new session or in the one that was kept.
   *
   * @param {Said[]} history Oldest first; what was said in this session has its items'
   *   ids.
   * @param {string} sessionId
   * @returns What was said beyond these lines.
   */
  resume(history, sessionId) {
    const before = history.filter(({ item_id }) => !item_id);
    const added = sessionId === this.#sessionId ? [] : this.#goOn(before);
    this.#sessionId = sessionId;
    const own = history.filter(({ item_id }) => item_id);
    return [...added, ...own.filter((said) => this.#catchUp(said))];
  }

  /**
   * Take a line as the server has it.
   *
   * @param {Said} said
   * @returns Whether it was not complete here.
   */
  #catchUp({ item_id: itemId = "", role, text, interrupted = false }) {
    const wasFinal = this.#lines.get(this.#keyOf(itemId))?.final === true;
    const line = this.take({ item_id: itemId, role, text, final: true });
    line.interrupted = line.interrupted || interrupted;
    return !wasFinal;
  }

  /**
   * Go on in a new session of the same conversation: no line waits for words any more,
   * and what was said beyond these lines is added.
   *
   * @param {Said[]} history Oldest first.
   * @returns What was added.
   */
  #goOn(history) {
    const lines = this.lines;
    const open = lines.findLast((line) => !line.final);
    const last = lines.findLast((line) => line.final && line.text.trim());
    for (const line of lines) line.final = true;
    if (open?.role === "assistant") open.interrupted = true;
    const more = beyond(history, last);
    for (const [index, said] of more.entries()) {
      const rest = open && said.role === open.role && said.text.startsWith(open.text);
      if (rest) open.text = said.text;
      else this.#recall(`said_${index}`, said);
    }
    this.#part += 1;
    this.#before = this.#order.length;
    return more;
  }

  /**
   * Add a line of an earlier session.
   *
   * @param {string} itemId Of its own: these items have none in this session.
   * @param {Said} said
   */
  #recall(itemId, { role, text, of = undefined }) {
    this.take({ item_id: itemId, role, text, final: true }).of = of ?? null;
  }

  /** Forget everything. */
  clear() {
    this.#lines.clear();
    this.#previous.clear();
    this.#order = [];
    this.#sessionId = "";
    this.#part = 0;
    this.#before = 0;
  }

  /** @param {string} itemId */
  #keyOf(itemId) {
    return this.#part ? `${this.#part} ${itemId}` : itemId;
  }

  /** @param {TranscriptMessage} message */
  #line({ item_id: itemId, role, previous_item_id: previousItemId }) {
    const key = this.#keyOf(itemId);
    const previous = previousItemId ? this.#keyOf(previousItemId) : previousItemId;
    let line = this.#lines.get(key);
    if (!line) {
      const of = { session_id: this.#sessionId, item_id: itemId };
      line = { key, itemId, role, text: "", final: false, interrupted: false, of };
      this.#lines.set(key, line);
      this.#place(key, previous);
    } else if (previous && previous !== this.#previous.get(key)) {
      this.#order.splice(this.#order.indexOf(key), 1);
      this.#place(key, previous);
    }
    if (previous !== undefined) this.#previous.set(key, previous);
    return line;
  }

  /**
   * Put a line directly behind the one before it.
   *
   * @param {string} key
   * @param {string | null | undefined} previous null for the first of its session; a
   *   line whose place is not known stands before what follows it, else at the end.
   */
  #place(key, previous) {
    const before = previous ? this.#order.indexOf(previous) : -1;
    const next = this.#order.findIndex((other) => this.#previous.get(other) === key);
    if (before >= 0) this.#order.splice(before + 1, 0, key);
    else if (next >= 0) this.#order.splice(next, 0, key);
    else if (previous === null) this.#order.splice(this.#before, 0, key);
    else this.#order.push(key);
  }
}

/**
 * Return what was said after a line.
 *
 * @param {Said[]} history
 * @param {Line | undefined} last Without one, everything; one that is not in the
 *   history is newer than all of it.
 */
function beyond(history, last) {
  if (!last) return history;
  const at = history.findLastIndex(
    ({ role, text }) => role === last.role && text === last.text,
  );
  return at < 0 ? [] : history.slice(at + 1);
}
