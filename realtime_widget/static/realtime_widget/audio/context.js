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
