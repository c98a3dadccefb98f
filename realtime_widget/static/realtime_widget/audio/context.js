/** The audio context of a call, at the rate the device has. */

/** @typedef {{type: string}} AudioSession */

/**
 * Open a context and try to let it run.
 *
 * Without a gesture the browser leaves it suspended; its owner looks at `state` and
 * asks for a tap.
 *
 * @returns {Promise<AudioContext>}
 */
export async function openContext() {
  setSessionType("play-and-record");
  const context = new AudioContext({ latencyHint: "interactive" });
  if (context.state === "suspended") await settled(context.resume());
  return context;
}

/**
 * Close a context and give the device's audio back.
 *
 * @param {AudioContext} context
 */
export async function closeContext(context) {
  setSessionType("auto");
  if (context.state !== "closed") await context.close();
}

/**
 * Sound through a device, where the browser can; one that is not there changes nothing.
 *
 * @param {AudioContext} context
 * @param {string} id "" for the one the system prefers.
 */
export async function soundAt(context, id) {
  const choosing =
    /** @type {{sinkId?: string, setSinkId?: (id: string) => Promise<void>}} */ (
      context
    );
  if ((choosing.sinkId ?? "") === id) return;
  await choosing.setSinkId?.(id).catch(() => {});
}

/** What a loudspeaker is behind by, in browsers that must not be asked. */
const USUAL_LATENCY_MS = 40;

/**
 * How long a sample takes from the worklet to the ear, in ms.
 *
 * Firefox is not asked: reading `outputLatency` takes the lock of its audio graph and
 * waits for the sound system, whose callback waits for that lock. Read while something
 * plays, it stops the whole page for ever (153 with PulseAudio).
 *
 * @param {AudioContext} context
 */
export function outputLatencyMs(context) {
  return inFirefox() ? USUAL_LATENCY_MS : (context.outputLatency || 0) * 1000;
}

/** Whether this is Firefox, whose audio needs care of its own. */
export function inFirefox() {
  return navigator.userAgent.includes("Firefox/");
}

/** A refused resume stays pending for ever in some browsers. */
const RESUME_MS = 300;

/** @param {Promise<unknown>} resuming */
function settled(resuming) {
  return Promise.race([
    resuming.catch(() => {}),
    new Promise((resolve) => {
      setTimeout(resolve, RESUME_MS);
    }),
  ]);
}

/** @param {string} type Safari lowers the volume of what plays beside a microphone. */
function setSessionType(type) {
  const session = /** @type {{audioSession?: AudioSession}} */ (navigator).audioSession;
  if (session) session.type = type;
}
