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
