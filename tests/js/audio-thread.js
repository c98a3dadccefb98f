/**
 * The worklet in a stand-in for the audio thread: same file, time made by hand.
 *
 * `connect` gives the two ports of a message channel that delivers at once.
 */

const WORKLET = new URL(
  "../../realtime_widget/static/realtime_widget/audio/worklets/audio.js",
  import.meta.url,
);
export const BLOCK = 128;

const processors = new Map();

globalThis.AudioWorkletProcessor = class {
  port = globalThis.nextPort;
};
globalThis.registerProcessor = (name, processor) => processors.set(name, processor);
await import(WORKLET);

/** Return two ports; what one posts, the other one's `onmessage` gets. */
export function makePorts() {
  const end = () => ({ onmessage: null, other: null, postMessage: post });
  function post(data) {
    this.other.onmessage?.({ data });
  }
  const [page, thread] = [end(), end()];
  page.other = thread;
  thread.other = page;
  return { page, thread };
}

/**
 * Start a processor.
 *
 * @param {string} name
 * @param {object} processorOptions
 * @param {{rateHz: number}} context
 */
export function startProcessor(name, processorOptions, { rateHz }) {
  const { page, thread } = makePorts();
  globalThis.sampleRate = rateHz;
  globalThis.nextPort = thread;
  const Processor = processors.get(name);
  return { processor: new Processor({ processorOptions }), port: page };
}

/** A running capture processor and the frames that it posted. */
export class Capture {
  frames = [];

  constructor({ rateHz = 48_000, format = "pcm16", frameMs = 40 } = {}) {
    const options = { format, frameMs };
    const started = startProcessor("realtime-widget-capture", options, { rateHz });
    this.processor = started.processor;
    this.port = started.port;
    this.port.onmessage = ({ data }) => this.frames.push(data);
  }

  /** Hear samples of one or more channels, whole blocks of them. */
  hear(...channels) {
    for (let at = 0; at + BLOCK <= channels[0].length; at += BLOCK) {
      this.processor.process([channels.map((one) => one.subarray(at, at + BLOCK))]);
    }
  }

  /** Return all posted PCM16 samples, -1 to 1. */
  get samples() {
    return this.frames.flatMap(({ buffer }) =>
      Array.from(new Int16Array(buffer), (value) => value / 32_768),
    );
  }

  /** Return all posted bytes. */
  get bytes() {
    return this.frames.flatMap(({ buffer }) => [...new Uint8Array(buffer)]);
  }
}

/** A running playback processor, what it posted, and what came out of it. */
export class Playback {
  posted = [];
  heard = [];

  constructor({ rateHz = 48_000, format = "pcm16" } = {}) {
    this.rateHz = rateHz;
    const options = { format };
    const started = startProcessor("realtime-widget-playback", options, { rateHz });
    this.processor = started.processor;
    this.port = started.port;
    this.port.onmessage = ({ data }) => this.posted.push(data);
  }

  post(type, fields = {}) {
    this.port.postMessage({ type, ...fields });
  }

  /** Send samples at 24 kHz as frames of `frameMs`. */
  send(samples, frameMs = 40) {
    const length = frameMs * 24;
    for (let at = 0; at < samples.length; at += length) {
      this.post("audio", { buffer: pcm16(samples.subarray(at, at + length)) });
    }
  }

  /** Let time pass, in blocks of the audio thread. */
  run(ms) {
    const blocks = Math.round((ms * this.rateHz) / 1000 / BLOCK);
    for (let block = 0; block < blocks; block += 1) {
      const output = new Float32Array(BLOCK);
      this.processor.process([], [[output]]);
      this.heard.push(...output);
    }
  }

  posts(type) {
    return this.posted.filter((message) => message.type === type);
  }
}

/** Return samples as bytes of 16-bit little-endian PCM. */
export function pcm16(samples) {
  return Int16Array.from(samples, (sample) => Math.round(sample * 32_767)).buffer;
}

/** Return a tone of half the full scale. */
export function tone(hz, rateHz, seconds = 1) {
  const length = Math.round(rateHz * seconds);
  return Float32Array.from({ length }, (_, index) => {
    return 0.5 * Math.sin((2 * Math.PI * hz * index) / rateHz);
  });
}

/**
 * Return how far a tone stands above everything else, in dB.
 *
 * @param {ArrayLike<number>} samples
 * @param {number} hz Of the tone, whatever its phase and loudness.
 * @param {number} rateHz
 */
export function signalToNoiseDb(samples, hz, rateHz) {
  const edge = 200;
  const used = Array.from(samples).slice(edge, -edge);
  const angle = (2 * Math.PI * hz) / rateHz;
  // Least squares of a * cos + b * sin, exact for any number of periods.
  let [cc, cs, ss, cy, sy] = [0, 0, 0, 0, 0];
  used.forEach((y, index) => {
    const [c, s] = [Math.cos(angle * index), Math.sin(angle * index)];
    cc += c * c;
    cs += c * s;
    ss += s * s;
    cy += c * y;
    sy += s * y;
  });
  const determinant = cc * ss - cs * cs;
  const a = (cy * ss - sy * cs) / determinant;
  const b = (sy * cc - cy * cs) / determinant;
  let [signal, noise] = [0, 0];
  used.forEach((y, index) => {
    const wanted = a * Math.cos(angle * index) + b * Math.sin(angle * index);
    signal += wanted ** 2;
    noise += (y - wanted) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

/** Return the mean power in dB of the full scale. */
export function powerDb(samples) {
  const edge = 200;
  const used = Array.from(samples).slice(edge, -edge);
  const power = used.reduce((sum, value) => sum + value ** 2, 0) / used.length;
  return 10 * Math.log10(power);
}
