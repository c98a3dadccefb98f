// Passes on every block that is not silent, with its place on the audio clock.
class Tap extends AudioWorkletProcessor {
  process([input]) {
    const samples = input[0];
    if (samples?.some((value) => value !== 0)) {
      this.port.postMessage({ frame: currentFrame, samples: samples.slice() });
    }
    return true;
  }
}

registerProcessor("tap", Tap);
