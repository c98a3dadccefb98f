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

import { closeContext, inFirefox, openContext, soundAt } from "./context.js";
import { listDevices } from "./devices.js";
import { EchoGuard } from "./echo-guard.js";
import { Microphone, MicrophoneError } from "./microphone.js";
import { Speaker } from "./speaker.js";
import { WakeLock } from "./wake-lock.js";

/** A context that was resumed runs within this time, or never will. */
const RUNS_MS = 1_000;

export class Sound {
  #microphone;
  #speaker;
  #events;
  /** @type {AudioContext | null} */
  #context = null;
  #closed = false;
  #speakerId;
  #awake = new WakeLock();
  /** @type {EchoGuard | null} */
  #guard = null;
  #onDevices = () => this.#devicesChanged();

  /**
   * @param {SoundConfig} config
   * @param {SoundEvents} events
   * @param {import("../choices.js").Choices} choices The visitor's.
   */
  constructor({ worklets, audio }, events, { microphone, speaker, volume }) {
    this.#events = events;
    this.#speakerId = speaker;
    // Firefox cancels echo, but not all of it.
    if (inFirefox()) this.#guard = new EchoGuard(audio, events.onFrame);
    this.#microphone = new Microphone({
      workletUrl: worklets.capture,
      format: audio.format,
      frameMs: audio.frameMs,
      deviceId: microphone,
      onFrame: (frame, level) => {
        if (this.#guard) this.#guard.take(frame, level);
        else events.onFrame(frame, level);
      },
      onEnded: events.onMicrophoneLost,
    });
    this.#speaker = new Speaker({
      workletUrl: worklets.playback,
      format: audio.format,
      onPosition: (position) => {
        if (this.#guard) this.#guard.sounds = !position.done;
        events.onPosition(position);
      },
    });
    this.#speaker.volume = volume;
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
      await this.#attach(await openContext());
      this.#awake.take();
      navigator.mediaDevices.addEventListener("devicechange", this.#onDevices);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      if (this.#closed) this.#release();
    }
  }

  /** @param {AudioContext} context */
  async #attach(context) {
    this.#context = context;
    await soundAt(context, this.#speakerId);
    await Promise.all([
      this.#speaker.attach(context),
      this.#microphone.attach(context),
    ]);
    context.onstatechange = () => this.#events.onContextChange();
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
    const context = this.#context;
    if (context?.state !== "suspended") return;
    const atS = context.currentTime;
    await context.resume();
    setTimeout(() => {
      if (context !== this.#context || context.state !== "running") return;
      if (context.currentTime === atS) this.#replace(context);
    }, RUNS_MS);
  }

  /**
   * Go on with another context: after a phone call one may say that it runs and stand
   * still.
   *
   * @param {AudioContext} frozen
   */
  async #replace(frozen) {
    frozen.onstatechange = null;
    try {
      await this.#attach(await openContext());
      if (this.#closed) this.#release();
    } catch {
      this.#events.onMicrophoneLost();
    }
    frozen.close().catch(() => {});
    this.#events.onContextChange();
  }

  /**
   * Use what the visitor has chosen, from now on.
   *
   * @param {import("../choices.js").Choices} choices
   * @throws {MicrophoneError} The one that was used stays.
   */
  async choose({ microphone, speaker, volume }) {
    this.#speaker.volume = volume;
    if (this.#context && speaker !== this.#speakerId) {
      this.#speakerId = speaker;
      await soundAt(this.#context, speaker);
    }
    await this.#microphone.choose(microphone);
  }

  async #devicesChanged() {
    const { microphones, speakers } = await listDevices();
    await this.#microphone.devicesChanged(microphones.map(({ id }) => id));
    const back = speakers.some(({ id }) => id === this.#speakerId);
    if (back && this.#context) await soundAt(this.#context, this.#speakerId);
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

  /** Nothing more comes: what is here is played to its end. */
  finish() {
    this.#speaker.finish();
  }

  /** Be silent at once; resolves to what was heard of the answer. */
  interrupt() {
    if (this.#guard) this.#guard.sounds = false;
    return this.#speaker.interrupt();
  }

  /** Give back the devices. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
  }

  #release() {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onDevices);
    this.#awake.release();
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
