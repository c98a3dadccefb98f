/** What a page has and Node.js has not: socket, audio context, microphone. */

import { BLOCK, startProcessor } from "./audio-thread.js";

globalThis.window ??= globalThis;
const windowEvents = new EventTarget();
for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
  globalThis[name] = windowEvents[name].bind(windowEvents);
}

/** Let everything that is due now happen. */
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** A WebSocket whose other end is the test. */
export class ScriptedSocket {
  static OPEN = 1;
  /** @type {ScriptedSocket[]} */
  static opened = [];
  readyState = 0;
  bufferedAmount = 0;
  sent = [];
  frames = [];

  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
    ScriptedSocket.opened.push(this);
  }

  send(data) {
    if (typeof data === "string") this.sent.push(JSON.parse(data));
    else this.frames.push(data);
  }

  close(code) {
    this.closedWith = code;
    this.readyState = 3;
  }

  /** The server accepts. */
  accept() {
    this.readyState = 1;
    this.onopen();
  }

  /** The server says something. */
  say(type, fields = {}) {
    this.onmessage?.({ data: JSON.stringify({ type, ...fields }) });
  }

  /** The server sends audio. */
  sendAudio(buffer) {
    this.onmessage?.({ data: buffer });
  }

  /** The connection ends. */
  end(code) {
    this.readyState = 3;
    this.onclose({ code });
  }

  /** Return the types of what was sent. */
  get types() {
    return this.sent.map(({ type }) => type);
  }
}

/** Put a socket class and a session endpoint into the page. */
export function installServer({ ok = true, body, fails = false } = {}) {
  ScriptedSocket.opened = [];
  globalThis.WebSocket = ScriptedSocket;
  const requests = [];
  globalThis.fetch = async (url, options) => {
    requests.push({ url, ...options });
    if (fails) throw new TypeError("Failed to fetch");
    const answer = body ?? { token: "t1", url: "ws://page/ws", expires_in_s: 60 };
    return {
      ok,
      json: async () => {
        if (answer === "html") throw new SyntaxError("not JSON");
        return answer;
      },
    };
  };
  return requests;
}

/** One track of a microphone. */
class Track {
  enabled = true;
  stopped = false;
  constructor(deviceId) {
    this.deviceId = deviceId;
  }
  getSettings() {
    return { deviceId: this.deviceId };
  }
  stop() {
    this.stopped = true;
  }
}

/** An audio context whose worklets run when the test lets time pass. */
export class HandContext {
  /** @type {HandContext[]} */
  static opened = [];
  static initialState = "running";
  sampleRate = 48_000;
  outputLatency = 0;
  state = HandContext.initialState;
  destination = { name: "destination" };
  modules = [];
  nodes = [];
  audioWorklet = {
    addModule: async (url) => {
      if (HandContext.moduleFault) throw HandContext.moduleFault;
      this.modules.push(url);
    },
  };

  constructor(options) {
    this.options = options;
    HandContext.opened.push(this);
  }

  sinkId = "";

  async setSinkId(id) {
    this.sinkId = id;
  }

  async resume() {
    if (HandContext.initialState === "running") this.state = "running";
  }

  async close() {
    this.state = "closed";
  }

  createAnalyser() {
    return { fftSize: 0, connect() {} };
  }

  createGain() {
    const param = { value: 1 };
    param.setTargetAtTime = (value) => {
      param.value = value;
    };
    const gain = { gain: param, disconnect() {} };
    gain.connect = (target) => {
      gain.target = target;
    };
    return gain;
  }

  createMediaStreamSource(stream) {
    return { stream, connect() {}, disconnect() {} };
  }

  node(name) {
    return this.nodes.find((node) => node.name === name);
  }

  /** Let the microphone hear samples. */
  hear(samples) {
    const { processor } = this.node("realtime-widget-capture");
    for (let at = 0; at + BLOCK <= samples.length; at += BLOCK) {
      processor.process([[samples.subarray(at, at + BLOCK)]]);
    }
  }

  /** Let the loudspeaker play for so long. */
  play(ms) {
    const { processor } = this.node("realtime-widget-playback");
    const blocks = Math.round((ms * this.sampleRate) / 1000 / BLOCK);
    for (let block = 0; block < blocks; block += 1) {
      processor.process([], [[new Float32Array(BLOCK)]]);
    }
  }
}

class HandNode {
  constructor(context, name, { processorOptions }) {
    const rateHz = context.sampleRate;
    const { processor, port } = startProcessor(name, processorOptions, { rateHz });
    Object.assign(this, { name, processor, port, targets: [] });
    context.nodes.push(this);
  }

  connect(target) {
    this.targets.push(target);
  }

  disconnect() {
    this.targets = [];
  }
}

/**
 * Put a microphone and an audio context into the page.
 *
 * @param {{fault?: string, policy?: boolean, state?: string, moduleFault?: Error}} [given]
 */
export function installAudio({ fault, policy, state = "running", moduleFault } = {}) {
  HandContext.opened = [];
  HandContext.initialState = state;
  HandContext.moduleFault = moduleFault;
  const microphone = { asked: [], streams: [], fault, devices: [] };
  const getUserMedia = async (constraints) => {
    microphone.asked.push(constraints);
    if (microphone.fault) throw new DOMException("no", microphone.fault);
    // A device that is not there is replaced by the one that is.
    const wished = constraints.audio.deviceId?.ideal;
    const there = microphone.devices.some(({ deviceId }) => deviceId === wished);
    const tracks = [new Track(there ? wished : "builtin")];
    const stream = { tracks, getTracks: () => tracks };
    microphone.streams.push(stream);
    return stream;
  };
  const mediaDevices = Object.assign(new EventTarget(), {
    getUserMedia,
    enumerateDevices: async () => microphone.devices,
  });
  const allowsFeature = () => policy !== false;
  setGlobal("navigator", { mediaDevices, userAgent: "Test" });
  setGlobal("isSecureContext", true);
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  setGlobal("document", Object.assign(page, { featurePolicy: { allowsFeature } }));
  setGlobal("AudioContext", HandContext);
  setGlobal("AudioWorkletNode", HandNode);
  return microphone;
}

/** Set a global of the page for what follows. */
export function setGlobal(name, value) {
  Object.defineProperty(globalThis, name, {
    value,
    configurable: true,
    writable: true,
  });
}
