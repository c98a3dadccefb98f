/**
 * The visitor's turn while a key is held down: push-to-talk.
 *
 * Frames count only while the key is down. The turn begins when the answer has fallen
 * silent, and ends with the frame in which the key was let go, so that neither the
 * first nor the last sound is lost.
 *
 * @typedef {object} TurnParts
 * @property {() => Promise<{itemId: string, playedMs: number} | null>} silence Silences
 *   the answer; says what was heard of it.
 * @property {(message: Record<string, unknown>) => void} send
 * @property {(frame: ArrayBuffer) => void} sendAudio
 * @property {() => void} onChange
 */

/** A microphone that gives nothing must not keep a turn open. */
const LAST_FRAME_MS = 250;

export class Turn {
  /** Whether the key is down. */
  held = false;
  #parts;
  /** @type {ArrayBuffer[]} */
  #frames = [];
  /** @type {"none" | "beginning" | "running" | "ending"} */
  #phase = "none";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Bumped by every turn. */
  #number = 0;

  /** @param {TurnParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** The key goes down. */
  async start() {
    if (this.held) return;
    if (this.#phase === "ending") this.#commit();
    if (this.#phase !== "none") return;
    this.held = true;
    this.#phase = "beginning";
    this.#number += 1;
    const number = this.#number;
    this.#parts.onChange();
    const heard = await this.#parts.silence();
    if (number !== this.#number || this.#phase !== "beginning") return;
    const figure = heard ? { item_id: heard.itemId, played_ms: heard.playedMs } : {};
    this.#parts.send({ type: "turn.start", ...figure });
    for (const frame of this.#frames.splice(0)) this.#parts.sendAudio(frame);
    this.#phase = "running";
    if (!this.held) this.#end();
  }

  /** The key goes up: what was said is answered. */
  commit() {
    if (!this.held) return;
    this.held = false;
    this.#parts.onChange();
    if (this.#phase === "running") this.#end();
  }

  /** What was said is dropped. */
  cancel() {
    if (this.#phase === "none") return;
    const told = this.#phase !== "beginning";
    this.reset();
    if (told) this.#parts.send({ type: "turn.cancel" });
    this.#parts.onChange();
  }

  /** Forget the turn: the call is over, or its turns no longer end by a key. */
  reset() {
    clearTimeout(this.#timer);
    this.#number += 1;
    this.held = false;
    this.#phase = "none";
    this.#frames = [];
  }

  /** @param {ArrayBuffer} frame */
  take(frame) {
    if (this.#phase === "beginning") this.#frames.push(frame);
    else if (this.#phase !== "none") this.#parts.sendAudio(frame);
    if (this.#phase === "ending") this.#commit();
  }

  #end() {
    this.#phase = "ending";
    this.#timer = setTimeout(() => this.#commit(), LAST_FRAME_MS);
  }

  #commit() {
    clearTimeout(this.#timer);
    this.#phase = "none";
    this.#parts.send({ type: "turn.commit" });
  }
}
