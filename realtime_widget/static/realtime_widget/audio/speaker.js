/**
 * What is spoken: queue, exact position, and silence at once.
 *
 * @typedef {object} Position
 * @property {string} itemId
 * @property {number} playedMs Of the item's audio, as the ear has it.
 * @property {boolean} done It was played to its end.
 *
 * @typedef {object} SpeakerOptions
 * @property {string} workletUrl
 * @property {import("./microphone.js").FormatName} format
 * @property {(position: Position) => void} onPosition
 */

import { outputLatencyMs } from "./context.js";

/** Frequency bins for the avatar: half of it. */
const FFT_SIZE = 256;
/** A louder or quieter voice gets there so smoothly. */
const VOLUME_S = 0.02;
/** The audio thread answers within a block; this is for one that is gone. */
const FLUSH_MS = 250;

export class Speaker {
  /** @type {AnalyserNode | null} */
  analyser = null;
  #options;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  /** @type {GainNode | null} */
  #gain = null;
  #volume = 1;
  /** Whose audio comes now; "" drops what comes. */
  #itemId = "";
  /** Whose audio was played last, and how much. */
  #last = { itemId: "", playedMs: 0 };
  #underruns = 0;
  /** @type {((heard: {itemId: string, playedMs: number} | null) => void)[]} */
  #flushes = [];

  /** @param {SpeakerOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** @param {AudioContext} context Its rate may be anything. */
  async attach(context) {
    const { workletUrl, format } = this.#options;
    await context.audioWorklet.addModule(workletUrl);
    this.#context = context;
    this.#node = new AudioWorkletNode(context, "realtime-widget-playback", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { format },
    });
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = FFT_SIZE;
    this.#node.connect(this.analyser);
    this.#gain = context.createGain();
    this.#gain.gain.value = this.#volume;
    this.#node.connect(this.#gain);
    this.#gain.connect(context.destination);
  }

  /** @param {number} volume 0 to 1. */
  set volume(volume) {
    this.#volume = volume;
    const at = this.#context?.currentTime ?? 0;
    this.#gain?.gain.setTargetAtTime(volume, at, VOLUME_S);
  }

  /** @param {string} itemId Whose audio follows. */
  start(itemId) {
    this.#itemId = itemId;
    this.#last = { itemId, playedMs: 0 };
    this.#post({ type: "start", itemId });
  }

  /** @param {ArrayBuffer} buffer Audio of the item that was started last. */
  push(buffer) {
    if (!this.#itemId) return;
    this.#node?.port.postMessage({ type: "audio", buffer }, [buffer]);
  }

  /** @param {string} itemId Whose audio is complete. */
  end(itemId) {
    if (itemId === this.#itemId) this.#itemId = "";
    this.#post({ type: "end", itemId });
  }

  /** No more audio will come of what is being spoken: it is played to its end. */
  finish() {
    if (this.#itemId) this.end(this.#itemId);
  }

  /**
   * Be silent at once and drop what waits.
   *
   * @returns {Promise<{itemId: string, playedMs: number} | null>} What was heard of the
   *   answer that was cut off, null when nothing was being played.
   */
  interrupt() {
    this.#itemId = "";
    if (!this.#node) return Promise.resolve(null);
    const heard = new Promise((resolve) => {
      this.#flushes.push(resolve);
      setTimeout(() => this.#flushed(resolve, null), FLUSH_MS);
    });
    this.#post({ type: "flush" });
    return heard;
  }

  get stats() {
    return {
      ...this.#last,
      underruns: this.#underruns,
      contextRateHz: this.#context?.sampleRate ?? 0,
      outputLatencyMs: this.#latencyMs,
    };
  }

  close() {
    this.#post({ type: "close" });
    this.#node?.disconnect();
    this.#gain?.disconnect();
    this.#node = null;
    this.#gain = null;
    this.analyser = null;
    for (const resolve of this.#flushes.splice(0)) resolve(null);
  }

  /** Between the worklet and the ear. */
  get #latencyMs() {
    return this.#context ? outputLatencyMs(this.#context) : 0;
  }

  /** @param {any} data */
  #take(data) {
    if (data.type === "underrun") {
      this.#underruns = data.count;
      return;
    }
    const { itemId, playedMs, done } = data;
    if (itemId) this.#last = { itemId, playedMs };
    const heardMs = Math.max(0, Math.floor(playedMs - this.#latencyMs));
    if (data.type === "flushed") {
      const heard = itemId ? { itemId, playedMs: heardMs } : null;
      this.#flushed(this.#flushes[0], heard);
    } else {
      // The end is known exactly; the ear is a moment behind the rest.
      const position = done ? Math.floor(playedMs) : heardMs;
      this.#options.onPosition({ itemId, playedMs: position, done });
    }
  }

  /**
   * @param {((heard: {itemId: string, playedMs: number} | null) => void) | undefined} resolve
   * @param {{itemId: string, playedMs: number} | null} heard
   */
  #flushed(resolve, heard) {
    if (!resolve || !this.#flushes.includes(resolve)) return;
    this.#flushes = this.#flushes.filter((one) => one !== resolve);
    resolve(heard);
  }

  /** @param {object} message */
  #post(message) {
    this.#node?.port.postMessage(message);
  }
}
