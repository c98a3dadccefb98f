/**
 * Both ends of the audio, on the audio thread: microphone to wire, wire to speaker.
 *
 * One file, because worklets import nothing and both ends need the resampler. The
 * context runs at the device's own rate, whatever it is; the wire has its own.
 */

const ZERO_CROSSINGS = 16;
const KAISER_BETA = 8;
/** Share of the usable band that passes; the rest is the filter's slope. */
const ROLL_OFF = 0.92;
const BLOCK = 128;
/** So much is collected before sound begins, against the network's jitter. */
const PREBUFFER_MS = 60;
/** A network that fails to keep up is given more, up to this. */
const MOST_PREBUFFER_MS = 480;
const FADE_MS = 5;
const POSITION_EVERY_MS = 50;
/** Silence sent after muting, so that the end of the sentence is heard. */
const SILENCE_AFTER_MUTE_MS = 1_500;
const ULAW_BIAS = 132;
const ULAW_CLIP = 32_635;

/** Modified Bessel function of the first kind, order zero. */
/** @param {number} x */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 32; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** @type {(a: number, b: number) => number} */
const gcd = (a, b) => (b ? gcd(b, a % b) : a);

/** A rational polyphase resampler with a Kaiser window, block by block. */
class Resampler {
  /**
   * @param {number} fromHz
   * @param {number} toHz
   */
  constructor(fromHz, toHz) {
    const divisor = gcd(fromHz, toHz);
    this.up = toHz / divisor;
    this.down = fromHz / divisor;
    const band = Math.min(1, toHz / fromHz) * ROLL_OFF;
    this.half = Math.ceil(ZERO_CROSSINGS / band);
    this.taps = 2 * this.half;
    this.table = this.makeTable(band);
    this.held = new Float32Array(this.taps + 8 * BLOCK);
    this.filled = this.taps - 1;
    this.phase = 0;
  }

  /** Begin half a filter later: what comes out is not shifted in time. */
  align() {
    this.filled = this.half - 1;
  }

  /** One row of taps for each position between two samples. */
  /** @param {number} band */
  makeTable(band) {
    const table = new Float32Array(this.up * this.taps);
    const full = bessel(KAISER_BETA);
    for (let phase = 0; phase < this.up; phase += 1) {
      for (let tap = 0; tap < this.taps; tap += 1) {
        const x = phase / this.up + this.half - 1 - tap;
        const edge = 1 - (x / this.half) ** 2;
        if (edge <= 0) continue;
        const window = bessel(KAISER_BETA * Math.sqrt(edge)) / full;
        const angle = Math.PI * band * x;
        const sinc = x === 0 ? 1 : Math.sin(angle) / angle;
        table[phase * this.taps + tap] = band * sinc * window;
      }
    }
    return table;
  }

  /** How many samples come out for so many that go in, at most. */
  /** @param {number} count */
  room(count) {
    return Math.ceil((count * this.up) / this.down) + 1;
  }

  /**
   * @param {Float32Array} input
   * @param {Float32Array} output Has `room`.
   * @returns {number} How many samples are in the output.
   */
  run(input, output) {
    if (this.up === this.down) {
      output.set(input);
      return input.length;
    }
    if (this.filled + input.length > this.held.length) {
      const larger = new Float32Array(this.filled + input.length + 8 * BLOCK);
      larger.set(this.held.subarray(0, this.filled));
      this.held = larger;
    }
    this.held.set(input, this.filled);
    this.filled += input.length;
    let at = 0;
    let written = 0;
    while (at + this.taps <= this.filled) {
      const row = this.phase * this.taps;
      let sum = 0;
      for (let tap = 0; tap < this.taps; tap += 1) {
        sum += this.held[at + tap] * this.table[row + tap];
      }
      output[written] = sum;
      written += 1;
      this.phase += this.down;
      at += Math.floor(this.phase / this.up);
      this.phase %= this.up;
    }
    this.held.copyWithin(0, at, this.filled);
    this.filled -= at;
    return written;
  }
}

/** @param {number} sample 16-bit. */
function encodeUlaw(sample) {
  const sign = sample < 0 ? 0x80 : 0;
  const level = Math.min(Math.abs(sample), ULAW_CLIP) + ULAW_BIAS;
  const exponent = Math.max(0, 31 - Math.clz32(level) - 7);
  const mantissa = (level >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

/** @param {number} code */
function decodeUlaw(code) {
  const inverted = ~code & 0xff;
  const exponent = (inverted >> 4) & 7;
  const level = (((inverted & 0x0f) << 3) + ULAW_BIAS) << exponent;
  return inverted & 0x80 ? ULAW_BIAS - level : level - ULAW_BIAS;
}

/** @param {number} sample 16-bit. */
function encodeAlaw(sample) {
  const sign = sample >= 0 ? 0x80 : 0;
  const level = Math.min(sample >= 0 ? sample : -sample - 1, 32_767) >> 3;
  const exponent = level < 32 ? 0 : 31 - Math.clz32(level) - 4;
  const mantissa = exponent < 2 ? (level >> 1) & 0x0f : (level >> exponent) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

/** @param {number} code */
function decodeAlaw(code) {
  const plain = code ^ 0x55;
  const exponent = (plain >> 4) & 7;
  let level = ((plain & 0x0f) << 4) + 8;
  if (exponent) level = (level + 0x100) << (exponent - 1);
  return plain & 0x80 ? level : -level;
}

/**
 * The formats of the wire.
 *
 * @type {Record<string, {rateHz: number, bytes: number,
 *   encode: (view: DataView, index: number, sample: number) => void,
 *   decode: (view: DataView, index: number) => number}>}
 */
const FORMATS = {
  pcm16: {
    rateHz: 24_000,
    bytes: 2,
    encode: (view, index, sample) => view.setInt16(index * 2, sample, true),
    decode: (view, index) => view.getInt16(index * 2, true),
  },
  pcmu: {
    rateHz: 8_000,
    bytes: 1,
    encode: (view, index, sample) => view.setUint8(index, encodeUlaw(sample)),
    decode: (view, index) => decodeUlaw(view.getUint8(index)),
  },
  pcma: {
    rateHz: 8_000,
    bytes: 1,
    encode: (view, index, sample) => view.setUint8(index, encodeAlaw(sample)),
    decode: (view, index) => decodeAlaw(view.getUint8(index)),
  },
};

class CaptureProcessor extends AudioWorkletProcessor {
  /** @param {{processorOptions: {format: string, frameMs: number}}} options */
  constructor({ processorOptions: { format, frameMs } }) {
    super();
    this.format = FORMATS[format];
    this.resampler = new Resampler(sampleRate, this.format.rateHz);
    this.mono = new Float32Array(BLOCK);
    this.out = new Float32Array(this.resampler.room(BLOCK));
    this.frame = new Float32Array((this.format.rateHz * frameMs) / 1000);
    this.count = 0;
    this.muted = false;
    this.silentFrames = 0;
    this.silenceFrames = Math.ceil(SILENCE_AFTER_MUTE_MS / frameMs);
    this.closed = false;
    this.port.onmessage = ({ data }) => {
      if (data.type === "close") this.closed = true;
      else if (data.type === "muted") {
        this.muted = data.value;
        this.silentFrames = 0;
      }
    };
  }

  /** @param {Float32Array[][]} inputs */
  process([channels]) {
    if (this.closed) return false;
    if (!channels?.length) return true;
    this.mix(channels);
    const count = this.resampler.run(this.mono, this.out);
    for (let index = 0; index < count; index += 1) {
      this.frame[this.count] = this.out[index];
      this.count += 1;
      if (this.count === this.frame.length) this.send();
    }
    return true;
  }

  /** @param {Float32Array[]} channels */
  mix(channels) {
    for (let index = 0; index < BLOCK; index += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[index];
      this.mono[index] = this.muted ? 0 : sum / channels.length;
    }
  }

  send() {
    this.count = 0;
    if (this.muted) {
      this.silentFrames += 1;
      if (this.silentFrames > this.silenceFrames) return;
    }
    const buffer = new ArrayBuffer(this.frame.length * this.format.bytes);
    const view = new DataView(buffer);
    let energy = 0;
    for (let index = 0; index < this.frame.length; index += 1) {
      const value = Math.max(-1, Math.min(1, this.frame[index]));
      energy += value * value;
      this.format.encode(view, index, Math.round(value * 32_767));
    }
    const level = Math.sqrt(energy / this.frame.length);
    this.port.postMessage({ type: "frame", buffer, level }, [buffer]);
  }
}

/** The audio of one answer: what waits, and how much of it was played. */
class Track {
  /**
   * @param {string} itemId
   * @param {number} rateHz Of the wire.
   */
  constructor(itemId, rateHz) {
    this.itemId = itemId;
    this.resampler = new Resampler(rateHz, sampleRate);
    this.resampler.align();
    /** @type {Float32Array[]} */
    this.blocks = [];
    this.offset = 0;
    this.waiting = 0;
    this.played = 0;
    this.ended = false;
    this.gaps = 0;
  }

  get playedMs() {
    return (this.played * 1000) / sampleRate;
  }

  /**
   * @param {ArrayBuffer} buffer
   * @param {{bytes: number, decode: (view: DataView, index: number) => number}} format
   */
  add(buffer, format) {
    const view = new DataView(buffer);
    const input = new Float32Array(Math.floor(buffer.byteLength / format.bytes));
    for (let index = 0; index < input.length; index += 1) {
      input[index] = format.decode(view, index) / 32_768;
    }
    this.resample(input);
  }

  /** @param {Float32Array} input */
  resample(input) {
    const output = new Float32Array(this.resampler.room(input.length));
    const block = output.subarray(0, this.resampler.run(input, output));
    if (!block.length) return;
    this.blocks.push(block);
    this.waiting += block.length;
  }

  /** No more will come: what is still in the filter comes out. */
  end() {
    if (this.ended) return;
    this.ended = true;
    const { half, up, down } = this.resampler;
    if (up !== down) this.resample(new Float32Array(half));
  }

  /**
   * Move samples to `output` from `start` on.
   *
   * @param {Float32Array} output
   * @param {number} start
   * @returns {number} Where it stopped.
   */
  take(output, start) {
    let at = start;
    while (at < output.length && this.blocks.length) {
      const block = this.blocks[0];
      const count = Math.min(output.length - at, block.length - this.offset);
      output.set(block.subarray(this.offset, this.offset + count), at);
      at += count;
      this.offset += count;
      if (this.offset === block.length) {
        this.blocks.shift();
        this.offset = 0;
      }
    }
    this.waiting -= at - start;
    this.played += at - start;
    return at;
  }
}

class PlaybackProcessor extends AudioWorkletProcessor {
  /** @param {{processorOptions: {format: string}}} options */
  constructor({ processorOptions: { format } }) {
    super();
    this.format = FORMATS[format];
    /** @type {Track[]} */
    this.tracks = [];
    this.fade = new Float32Array(Math.round((FADE_MS * sampleRate) / 1000));
    this.fadeAt = this.fade.length;
    this.leastPrebuffer = (PREBUFFER_MS * sampleRate) / 1000;
    this.mostPrebuffer = (MOST_PREBUFFER_MS * sampleRate) / 1000;
    this.prebuffer = this.leastPrebuffer;
    this.buffering = true;
    this.underruns = 0;
    this.sinceReport = 0;
    this.closed = false;
    /** @type {Record<string, (data: any) => void>} */
    const handlers = {
      start: ({ itemId }) => this.start(itemId),
      audio: ({ buffer }) => this.tracks.at(-1)?.add(buffer, this.format),
      end: ({ itemId }) => {
        this.tracks.find((one) => one.itemId === itemId)?.end();
      },
      flush: () => this.flush(),
      close: () => {
        this.closed = true;
      },
    };
    this.port.onmessage = ({ data }) => handlers[data.type]?.(data);
  }

  /** @param {string} itemId */
  start(itemId) {
    // One answer at a time: the next must sound even if the last was never ended.
    for (const track of this.tracks) track.end();
    this.tracks.push(new Track(itemId, this.format.rateHz));
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    const channels = outputs[0];
    const output = channels[0];
    const faded = this.playFade(output);
    if (faded < output.length) this.play(output, faded);
    for (let index = 1; index < channels.length; index += 1)
      channels[index].set(output);
    return !this.closed;
  }

  /** @param {Float32Array} output */
  playFade(output) {
    const count = Math.min(output.length, this.fade.length - this.fadeAt);
    if (count <= 0) return 0;
    output.set(this.fade.subarray(this.fadeAt, this.fadeAt + count));
    this.fadeAt += count;
    return count;
  }

  /**
   * @param {Float32Array} output
   * @param {number} start
   */
  play(output, start) {
    let at = start;
    while (at < output.length) {
      const track = this.tracks[0];
      if (!track || this.waits(track)) return;
      at = track.take(output, at);
      if (track.waiting) continue;
      this.ranOut(track);
    }
    this.sinceReport += output.length;
    const track = this.tracks[0];
    if (track && this.sinceReport >= (POSITION_EVERY_MS * sampleRate) / 1000) {
      this.report(track, false);
    }
  }

  /** @param {Track} track */
  waits(track) {
    if (!this.buffering) return false;
    if (!track.ended && track.waiting < this.prebuffer) return true;
    this.buffering = false;
    return false;
  }

  /** @param {Track} track */
  ranOut(track) {
    this.buffering = true;
    if (track.ended) {
      this.tracks.shift();
      // A whole answer without a gap: the network is better than it was.
      if (!track.gaps)
        this.prebuffer = Math.max(this.prebuffer / 2, this.leastPrebuffer);
      this.report(track, true);
    } else {
      this.underruns += 1;
      track.gaps += 1;
      this.prebuffer = Math.min(this.prebuffer * 2, this.mostPrebuffer);
      this.port.postMessage({ type: "underrun", count: this.underruns });
      this.report(track, false);
    }
  }

  /** Be silent after a short fade; whatever waits is gone. */
  flush() {
    const track = this.tracks[0];
    const playedMs = track?.playedMs ?? 0;
    this.fade.fill(0);
    this.fadeAt = this.fade.length;
    if (track && !this.buffering) {
      const { length } = this.fade;
      track.take(this.fade, 0);
      for (let index = 0; index < length; index += 1) {
        this.fade[index] *= 1 - (index + 1) / length;
      }
      this.fadeAt = 0;
    }
    this.tracks = [];
    this.buffering = true;
    this.port.postMessage({
      type: "flushed",
      itemId: track?.itemId ?? "",
      playedMs,
    });
  }

  /**
   * @param {Track} track
   * @param {boolean} done
   */
  report(track, done) {
    this.sinceReport = 0;
    const { itemId, playedMs } = track;
    this.port.postMessage({ type: "position", itemId, playedMs, done });
  }
}

registerProcessor("realtime-widget-capture", CaptureProcessor);
registerProcessor("realtime-widget-playback", PlaybackProcessor);
