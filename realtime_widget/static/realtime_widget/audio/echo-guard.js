/**
 * Keeps the answer's own echo from cutting it off, in browsers that let bursts of it
 * through. Pure: frames in, frames out.
 *
 * While an answer sounds, only a voice that stays loud is passed on, from its first
 * frame; everything else goes out as silence, so that the server's clock runs on.
 */

/** Bursts of echo are shorter than a word. */
const SUSTAINED_MS = 120;
/** A room still sounds a little after the loudspeaker. */
const ROOM_MS = 300;
/** A voice at the microphone, as a share of full scale (-30 dB). */
const LOUD = 0.03;
/** What silence looks like in each format. */
const SILENCE = { pcm16: 0, pcmu: 0xff, pcma: 0xd5 };

export class EchoGuard {
  #pass;
  #silence;
  #frameMs;
  #sustained;
  /** @type {{frame: ArrayBuffer, level: number}[]} */
  #held = [];
  #loud = 0;
  #quietMs = 0;
  /** Whether a voice is being passed on. */
  #open = false;
  #sounds = false;
  /** Left of the room's own sound. */
  #roomMs = 0;

  /**
   * @param {{format: import("./microphone.js").FormatName, frameMs: number}} audio
   * @param {(frame: ArrayBuffer, level: number) => void} pass
   */
  constructor({ format, frameMs }, pass) {
    this.#pass = pass;
    this.#silence = SILENCE[format];
    this.#frameMs = frameMs;
    this.#sustained = Math.ceil(SUSTAINED_MS / frameMs);
  }

  /** @param {boolean} sounds Whether an answer is heard. */
  set sounds(sounds) {
    if (this.#sounds && !sounds) this.#roomMs = ROOM_MS;
    this.#sounds = sounds;
  }

  /**
   * Take a frame of the microphone.
   *
   * @param {ArrayBuffer} frame
   * @param {number} level
   */
  take(frame, level) {
    this.#held.push({ frame, level });
    if (!this.#guards()) {
      this.#release();
      return;
    }
    this.#loud = level >= LOUD ? this.#loud + 1 : 0;
    if (this.#loud >= this.#sustained) this.#open = true;
    this.#quietMs = level >= LOUD ? 0 : this.#quietMs + this.#frameMs;
    if (this.#quietMs > ROOM_MS) this.#open = false;
    if (this.#open) this.#release();
    else if (this.#held.length > this.#sustained) this.#hush();
  }

  #guards() {
    if (this.#sounds) return true;
    this.#roomMs -= this.#frameMs;
    if (this.#roomMs > 0) return true;
    this.#open = false;
    this.#loud = 0;
    return false;
  }

  #release() {
    for (const { frame, level } of this.#held.splice(0)) this.#pass(frame, level);
  }

  #hush() {
    const oldest = this.#held.shift();
    if (!oldest) return;
    new Uint8Array(oldest.frame).fill(this.#silence);
    this.#pass(oldest.frame, 0);
  }
}
