// Runs in the page before anything else: hears what the page plays, and writes down
// what crosses its socket and what its content security policy refused.
(() => {
  const probe = {
    violations: [],
    received: [],
    sent: [],
    blocks: [],
    rateHz: 0,
    context: null,
  };
  window.__probe = probe;
  document.addEventListener("securitypolicyviolation", (event) => {
    probe.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
  });

  const now = () => (probe.context ? probe.context.currentTime : 0);

  const note = (list, data) => {
    if (typeof data !== "string") return;
    list.push({ ...JSON.parse(data), atS: now(), atMs: performance.now() });
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      probe.socket = this;
      this.addEventListener("message", (event) => note(probe.received, event.data));
    }
    send(data) {
      note(probe.sent, data);
      super.send(data);
    }
  };

  // Whatever is connected to the loudspeaker is heard by the tap as well.
  const { connect } = AudioNode.prototype;
  const tapping = new WeakMap();
  const tapOf = (context) => {
    probe.context = context;
    probe.rateHz = context.sampleRate;
    if (!tapping.has(context)) {
      const url = "/static/site/tap-worklet.js";
      const ready = context.audioWorklet.addModule(url).then(() => {
        const node = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
        node.port.onmessage = ({ data }) => probe.blocks.push(data);
        return node;
      });
      tapping.set(context, ready);
    }
    return tapping.get(context);
  };
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      tapOf(this.context).then(
        (node) => connect.call(this, node),
        // Pages of another site have no tap.
        () => {},
      );
    }
    return connect.call(this, target, ...rest);
  };

  const base64 = (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) {
      text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    }
    return btoa(text);
  };

  // What was heard between two times of the audio clock, as 16-bit PCM.
  probe.heard = (fromS = 0, toS = Number.POSITIVE_INFINITY) => {
    const rate = probe.rateHz;
    const blocks = probe.blocks.filter(
      ({ frame, samples }) =>
        frame / rate >= fromS && (frame + samples.length) / rate <= toS,
    );
    if (!blocks.length) return { rateHz: rate, startS: 0, pcm: "" };
    const first = blocks[0].frame;
    const last = blocks[blocks.length - 1];
    const whole = new Int16Array(last.frame + last.samples.length - first);
    for (const { frame, samples } of blocks) {
      for (let index = 0; index < samples.length; index += 1) {
        const value = Math.max(-1, Math.min(1, samples[index]));
        whole[frame - first + index] = Math.round(value * 32767);
      }
    }
    const pcm = base64(new Uint8Array(whole.buffer));
    return { rateHz: rate, startS: first / rate, pcm };
  };
})();
