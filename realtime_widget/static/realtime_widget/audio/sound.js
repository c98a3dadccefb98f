/**
 * Microphone, speaker and audio context of one call.
 *
 * @typedef {object} SoundEvents
 * @property {(frame: ArrayBuffer, level: number) => void} onFrame
 * @property {(position: {itemId: string, playedMs: number, done: boolean}) => void}
 *   onPosition
 * @property {() => void} onMicrophoneLost
 * @property {() => void} onContextChange
 *
 * @typedef {object} SoundConfig
 * @property {{capture: string, playback: string}} worklets
 * @property {{format: import("./microphone.js").FormatName, frameMs: number}} audio
 */

import { closeContext, openContext } from "./context.js";
import { Microphone, MicrophoneError } from "./microphone.js";
import { Speaker } from "./speaker.js";

export class Sound {
  #microphone;
  #speaker;
  #events;
  /** @type {AudioContext | null} */
  #context = null;
  #closed = false;

  /**
   * @param {SoundConfig} config
   * @param {SoundEvents} events
   */
  constructor({ worklets, audio }, events) {
    this.#events = events;
    this.#microphone = new Microphone({
      workletUrl: worklets.capture,
      format: audio.format,
      frameMs: audio.frameMs,
      onFrame: events.onFrame,
      onEnded: events.onMicrophoneLost,
    });
    this.#speaker = new Speaker({
      workletUrl: worklets.playback,
      format: audio.format,
      onPosition: events.onPosition,
    });
  }

  /**
   * Open everything; the microphone first, because a context that runs already is
   * restarted by some browsers when it opens.
   *
   * @throws {Error} What `faultOf` names.
   */
  async open() {
    try {
      await this.#microphone.open();
      if (this.#closed) return;
      const context = await openContext();
      this.#context = context;
      await Promise.all([
        this.#speaker.attach(context),
        this.#microphone.attach(context),
      ]);
      context.onstatechange = () => this.#events.onContextChange();
    } catch (error) {
      this.close();
      throw error;
    } finally {
      if (this.#closed) this.#release();
    }
  }

  /** Whether the browser wants a gesture before there is sound. */
  get blocked() {
    return this.#context !== null && this.#context.state !== "running";
  }

  /** @param {boolean} muted */
  set muted(muted) {
    this.#microphone.muted = muted;
  }

  get analyser() {
    return this.#speaker.analyser;
  }

  get stats() {
    return {
      ...this.#speaker.stats,
      capturedFrames: this.#microphone.capturedFrames,
    };
  }

  /** Let it sound; call it in a gesture. */
  async unlock() {
    // While a phone call holds the audio (`interrupted`, iOS), resuming breaks it.
    if (this.#context?.state === "suspended") await this.#context.resume();
  }

  /** @param {string} itemId Whose audio follows. */
  speak(itemId) {
    this.#speaker.start(itemId);
  }

  /** @param {ArrayBuffer} audio */
  push(audio) {
    this.#speaker.push(audio);
  }

  /** @param {string} itemId Whose audio is complete. */
  spoken(itemId) {
    this.#speaker.end(itemId);
  }

  /** Be silent at once; resolves to what was heard of the answer. */
  interrupt() {
    return this.#speaker.interrupt();
  }

  /** Give back the devices. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
  }

  #release() {
    this.#microphone.close();
    this.#speaker.close();
    const context = this.#context;
    this.#context = null;
    if (!context) return;
    context.onstatechange = null;
    closeContext(context).catch(() => {});
  }
}

/**
 * Say why there is no sound, as a key of the widget's words.
 *
 * @param {unknown} error What `open` threw.
 */
export function faultOf(error) {
  if (error instanceof MicrophoneError) return error.code;
  // addModule fails so when a policy of the page refuses the worklet.
  const name = error instanceof Error ? error.name : "";
  return name === "AbortError" ? "csp_blocked" : "unsupported";
}
