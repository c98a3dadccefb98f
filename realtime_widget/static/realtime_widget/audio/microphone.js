/**
 * The microphone: permission, device, and frames in the wire's format.
 *
 * @typedef {"pcm16" | "pcmu" | "pcma"} FormatName
 *
 * @typedef {object} MicrophoneOptions
 * @property {string} workletUrl
 * @property {FormatName} format
 * @property {number} frameMs
 * @property {string} deviceId Which one is wished for, "" for the system's.
 * @property {(frame: ArrayBuffer, level: number) => void} onFrame
 * @property {() => void} onEnded The device is gone and there is no other.
 */

import { inFirefox } from "./context.js";

/** A device that comes and goes more often in one call is broken. */
const MAX_REOPENED = 5;

/** What getUserMedia throws -> key of the words that help. */
const FAULTS = /** @type {const} */ ({
  NotAllowedError: "mic_denied",
  SecurityError: "mic_blocked_policy",
  NotFoundError: "mic_missing",
  OverconstrainedError: "mic_missing",
  NotReadableError: "mic_busy",
  AbortError: "mic_busy",
});

/** There is no microphone for this page; `code` is a key of the widget's words. */
export class MicrophoneError extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export class Microphone {
  capturedFrames = 0;
  #options;
  #muted = false;
  #reopened = 0;
  #closed = false;
  /** Which one is wished for; another is better than none. */
  #deviceId;
  /** There was none any more. */
  #gone = false;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;

  /** @param {MicrophoneOptions} options */
  constructor(options) {
    this.#options = options;
    this.#deviceId = options.deviceId;
  }

  /**
   * Ask for the microphone.
   *
   * @throws {MicrophoneError}
   */
  async open() {
    if (!window.isSecureContext) throw new MicrophoneError("insecure_context");
    if (!navigator.mediaDevices?.getUserMedia) throw new MicrophoneError("unsupported");
    if (blockedByPolicy()) throw new MicrophoneError("mic_blocked_policy");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: constraints(this.#deviceId),
      });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      const known = /** @type {Record<string, string>} */ (FAULTS);
      throw new MicrophoneError(known[name] ?? "unsupported");
    }
    if (this.#closed) {
      stopTracks(stream);
      return;
    }
    this.#take(stream);
  }

  /**
   * Let frames flow.
   *
   * @param {AudioContext} context Its rate may be anything.
   */
  async attach(context) {
    const { workletUrl, format, frameMs } = this.#options;
    await context.audioWorklet.addModule(workletUrl);
    if (this.#closed) return;
    this.#context = context;
    this.#node = new AudioWorkletNode(context, "realtime-widget-capture", {
      numberOfOutputs: 0,
      processorOptions: { format, frameMs },
    });
    this.#node.port.onmessage = ({ data }) => {
      this.capturedFrames += 1;
      this.#options.onFrame(data.buffer, data.level);
    };
    this.muted = this.#muted;
    this.#wire();
  }

  /**
   * Muted, the device stays open and a little silence ends the sentence.
   *
   * @param {boolean} muted
   */
  set muted(muted) {
    this.#muted = muted;
    for (const track of this.#stream?.getTracks() ?? []) track.enabled = !muted;
    this.#node?.port.postMessage({ type: "muted", value: muted });
  }

  /**
   * Go on with another device; the one that is used stays when that fails.
   *
   * @param {string} deviceId "" for the one the system prefers.
   * @throws {MicrophoneError}
   */
  async choose(deviceId) {
    if (deviceId === this.#deviceId) return;
    this.#deviceId = deviceId;
    await this.open();
  }

  /**
   * Devices have come or gone: the one that is wished for is used once it is there, and
   * any is where there was none.
   *
   * @param {string[]} present Their ids.
   */
  async devicesChanged(present) {
    const wished = this.#deviceId !== "" && present.includes(this.#deviceId);
    const track = this.#stream?.getTracks()[0];
    const other = track?.getSettings?.().deviceId !== this.#deviceId;
    const due = this.#gone ? present.length > 0 : wished && other;
    if (!due || this.#closed) return;
    // What cannot be opened now is told by the next change.
    await this.open().catch(() => {});
  }

  /** Give the device back. */
  close() {
    this.#closed = true;
    this.#node?.port.postMessage({ type: "close" });
    this.#source?.disconnect();
    if (this.#stream) stopTracks(this.#stream);
    this.#stream = null;
    this.#source = null;
    this.#node = null;
  }

  /** @param {MediaStream} stream */
  #take(stream) {
    if (this.#stream) stopTracks(this.#stream);
    this.#stream = stream;
    this.#gone = false;
    for (const track of stream.getTracks()) {
      track.enabled = !this.#muted;
      track.onended = () => this.#lost();
    }
    this.#wire();
  }

  #wire() {
    if (!this.#context || !this.#stream || !this.#node) return;
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(this.#stream);
    this.#source.connect(this.#node);
  }

  /** The device was unplugged: go on with the one that is the default now. */
  async #lost() {
    if (this.#closed) return;
    this.#reopened += 1;
    try {
      if (this.#reopened > MAX_REOPENED) throw new MicrophoneError("mic_missing");
      await this.open();
    } catch {
      if (this.#closed) return;
      this.#gone = true;
      this.#options.onEnded();
    }
  }
}

/**
 * @param {string} deviceId
 * @returns {MediaTrackConstraints}
 */
function constraints(deviceId) {
  // Firefox's gain control lets bursts of the answer's echo through.
  const autoGainControl = !inFirefox();
  return {
    ...(deviceId ? { deviceId: { ideal: deviceId } } : {}),
    channelCount: 1,
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl,
  };
}

function blockedByPolicy() {
  const policy =
    /** @type {{featurePolicy?: {allowsFeature(name: string): boolean}}} */ (
      /** @type {unknown} */ (document)
    ).featurePolicy;
  return policy ? !policy.allowsFeature("microphone") : false;
}

/** @param {MediaStream} stream */
function stopTracks(stream) {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}
