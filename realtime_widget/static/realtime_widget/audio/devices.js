/**
 * The microphones and speakers there are.
 *
 * @typedef {object} Device
 * @property {string} id
 * @property {string} label "" while the visitor has not allowed the microphone yet.
 *
 * @typedef {object} Devices
 * @property {Device[]} microphones
 * @property {Device[]} speakers Empty where the browser leaves the choice to the system.
 */

/** @returns {Promise<Devices>} */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const speakers = canChooseSpeaker() ? of(all, "audiooutput") : [];
  return { microphones: of(all, "audioinput"), speakers };
}

/** Whether the browser lets a page choose where it sounds. */
export function canChooseSpeaker() {
  return typeof AudioContext !== "undefined" && "setSinkId" in AudioContext.prototype;
}

/**
 * The system's own choice stands in the list a second time, under its own name.
 *
 * @param {MediaDeviceInfo[]} all
 * @param {MediaDeviceKind} kind
 * @returns {Device[]}
 */
function of(all, kind) {
  return all
    .filter((one) => one.kind === kind && one.deviceId)
    .filter(({ deviceId }) => deviceId !== "default" && deviceId !== "communications")
    .map(({ deviceId: id, label }) => ({ id, label }));
}
