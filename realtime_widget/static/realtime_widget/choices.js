/**
 * What a visitor chose for their ears and voice; remembered by this browser.
 *
 * @typedef {object} Choices
 * @property {string} microphone Id of a device, "" for the one the system prefers.
 * @property {string} speaker The same.
 * @property {number} volume Of the answers, 0 to 1.
 */

const KEY = "realtime-widget:devices";

/** @returns {Choices} */
export function chosen() {
  /** @type {Partial<Choices>} */
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    // A page without storage forgets; nothing else is lost.
  }
  const { microphone, speaker, volume } = kept;
  return {
    microphone: typeof microphone === "string" ? microphone : "",
    speaker: typeof speaker === "string" ? speaker : "",
    volume: typeof volume === "number" ? asVolume(volume) : 1,
  };
}

/**
 * Keep a choice.
 *
 * @param {Partial<Choices>} change
 * @returns {Choices} All of them.
 */
export function choose(change) {
  const choices = { ...chosen(), ...change };
  choices.volume = asVolume(choices.volume);
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // As above.
  }
  return choices;
}

/** @param {number} wanted */
function asVolume(wanted) {
  return Number.isFinite(wanted) ? Math.min(1, Math.max(0, wanted)) : 1;
}
