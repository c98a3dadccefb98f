/**
 * What the visitor says while no session hears it: kept, and sent once one does. Pure.
 */

/** Speech is kept for so long; the oldest is dropped beyond. */
const MAX_WAITING_MS = 6_000;

export class Outbox {
  #maxFrames;
  /** @type {ArrayBuffer[]} */
  #frames = [];
  /** @type {Record<string, unknown>[]} */
  #messages = [];
  /** Sent, and not yet seen in the conversation. */
  /** @type {Record<string, unknown>[]} */
  #unseen = [];

  /** @param {number} frameMs */
  constructor(frameMs) {
    this.#maxFrames = MAX_WAITING_MS / frameMs;
  }

  /** @param {ArrayBuffer} frame Of the microphone. */
  keepFrame(frame) {
    this.#frames.push(frame);
    if (this.#frames.length > this.#maxFrames) this.#frames.shift();
  }

  /** Hand out the frames, oldest first; none is left. */
  takeFrames() {
    return this.#frames.splice(0);
  }

  /** @param {Record<string, unknown>} message */
  keep(message) {
    this.#messages.push(message);
  }

  /** Hand out the messages in their order, to be sent; none is left. */
  takeMessages() {
    const messages = this.#messages.splice(0);
    for (const message of messages) this.sent(message);
    return messages;
  }

  /** @param {Record<string, unknown>} message Is on its way. */
  sent(message) {
    this.#unseen.push(message);
  }

  /**
   * A line stands in the conversation.
   *
   * @param {string} role
   * @param {string} text
   */
  seen(role, text) {
    const index = this.#unseen.findIndex((one) => isSame(one, role, text));
    if (index >= 0) this.#unseen.splice(index, 1);
  }

  /**
   * After a cut: what the server has not got is to be sent again, before the rest.
   *
   * @param {{role: string, text: string}[]} arrived What the server knows beyond what
   *   was seen here.
   */
  goOn(arrived) {
    for (const { role, text } of arrived) this.seen(role, text);
    this.#messages.unshift(...this.#unseen.splice(0));
  }
}

/**
 * @param {Record<string, unknown>} message
 * @param {string} role
 * @param {string} text
 */
function isSame(message, role, text) {
  return message.role === role && String(message.text).trim() === text.trim();
}
