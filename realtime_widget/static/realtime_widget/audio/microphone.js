/**
 * The microphone: permission, device, and frames in the wire's format.
 *
 * @typedef {"pcm16" | "pcmu" | "pcma"} FormatName
 *
 * @typedef {object} MicrophoneOptions
 * @property {string} workletUrl
 * @property {FormatName} format
 * @property {number} frameMs
 * @property {(frame: ArrayBuffer, level: number) => void} onFrame
 * @property {() => void} onEnded The device is gone and there is no other.
 */

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
      stream = await navigator.mediaDevices.getUserMedia({ audio: constraints() });
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
    this.#stream = stream;
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
      if (!this.#closed) this.#options.onEnded();
    }
  }
}

/** @returns {MediaTrackConstraints} */
function constraints() {
  // Firefox's gain control lets bursts of the answer's echo through.
  const autoGainControl = !navigator.userAgent.includes("Firefox/");
  return {
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
