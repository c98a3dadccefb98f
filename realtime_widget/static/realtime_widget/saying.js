/**
 * What the visitor says to the server, by voice, key and text: now, or as soon as a
 * session hears it.
 *
 * @typedef {object} Way
 * @property {(message: Record<string, unknown>) => void} send
 * @property {(frame: ArrayBuffer) => void} sendAudio
 *
 * @typedef {{mime: string, data: string}} Picture Its `data` is base64.
 */

import { Outbox } from "./outbox.js";
import { Turn } from "./turn.js";

export class Saying {
  /** Push-to-talk. */
  turn;
  #session;
  #outbox;
  #way;
  #sessionId = "";
  /** What the session has asked the page or the visitor. */
  /** @type {Set<unknown>} */
  #asked = new Set();
  /** Answers that found no connection. */
  /** @type {Record<string, unknown>[]} */
  #answers = [];

  /**
   * @param {import("./session.js").Session} session
   * @param {Way} way
   * @param {{frameMs: number, silence: import("./turn.js").TurnParts["silence"],
   *   onChange: () => void}} parts
   */
  constructor(session, way, { frameMs, silence, onChange }) {
    this.#session = session;
    this.#way = way;
    this.#outbox = new Outbox(frameMs);
    this.turn = new Turn({ ...way, silence, onChange });
  }

  /** A new call: what was said into an older one is over, what was typed is not. */
  begin() {
    this.turn.reset();
    this.#outbox.takeFrames();
  }

  /** @param {ArrayBuffer} frame Of the microphone. */
  speak(frame) {
    if (!this.#session.started) this.#outbox.keepFrame(frame);
    else if (this.#session.byKey) this.turn.take(frame);
    else this.#way.sendAudio(frame);
  }

  /**
   * @param {string} text
   * @param {string} role
   * @param {Picture} [picture] Shown along with it.
   */
  write(text, role, picture) {
    const message = { type: "message", text, role };
    this.#outbox.keep(picture ? { ...message, picture } : message);
    if (this.#session.started) this.#sendWritten();
  }

  /** @param {Record<string, any>} message May ask for something. */
  asked({ type, call_id: callId }) {
    if (type === "tool.call" || type === "tool.approval_required") {
      this.#asked.add(callId);
    }
  }

  /**
   * Answer what was asked; a session that did not ask gets no answer to it.
   *
   * @param {Record<string, unknown>} answer
   */
  answer(answer) {
    if (!this.#asked.has(answer.call_id)) return;
    if (this.#session.started) this.#way.send(answer);
    else this.#answers.push(answer);
  }

  /** @param {import("./transcript.js").Line} line Stands in the conversation. */
  seen({ role, text }) {
    this.#outbox.seen(role, text);
  }

  /**
   * A session hears: send what has waited for it.
   *
   * @param {{role: string, text: string}[]} arrived What it knows already of what was
   *   said into the one before it.
   */
  heard(arrived) {
    if (this.#session.sessionId !== this.#sessionId) {
      this.#sessionId = this.#session.sessionId;
      this.#asked.clear();
    }
    for (const answer of this.#answers.splice(0)) this.answer(answer);
    this.#outbox.goOn(arrived);
    const frames = this.#outbox.takeFrames();
    // Turns that begin by a key have none before it.
    if (!this.#session.byKey) for (const frame of frames) this.#way.sendAudio(frame);
    if (this.#session.muted) this.#way.send({ type: "microphone", muted: true });
    this.#sendWritten();
  }

  #sendWritten() {
    for (const message of this.#outbox.takeMessages()) this.#way.send(message);
  }
}
