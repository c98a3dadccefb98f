/**
 * Pages that come from deep-chat: its `directConnection` is taken as it is.
 *
 * Looks, events, methods and the function handler are the page's; what a session is
 * (model, instructions, voice, tools) and the key belong to the server.
 *
 * @typedef {Record<string, any>} Json
 */

const KEYS = ["key", "ephemeralKey", "fetchEphemeralKey", "autoFetchEphemeralKey"];
const LOOKS = ["avatar", "buttons", "loading", "error"];
const OURS = new Set([...LOOKS, "config", "events", "methods", "autoStart"]);
const BEFORE = "realtime-widget: in directConnection, ";

/**
 * Wear a `directConnection` and return the configuration with its looks.
 *
 * @param {any} element Gets the function handler.
 * @param {Json} config From the server.
 * @param {Json} given
 * @returns {Json}
 */
export function adopt(element, config, given) {
  const openAI = given.openAI ?? {};
  const realtime = openAI.realtime === true ? {} : openAI.realtime;
  if (!realtime || typeof realtime !== "object") {
    console.warn(`${BEFORE}only openAI.realtime is known here; it is ignored`);
    return config;
  }
  explainKeys({ ...openAI, ...realtime });
  explainConfig(realtime.config ?? {});
  explainRest(realtime);
  // Pages often set their function after the element stands.
  element.functionHandler ??= (/** @type {Json} */ call) => {
    const handle = realtime.config?.function_handler;
    if (!handle) throw new Error("there is no config.function_handler");
    return handle(call);
  };
  realtime.methods = element.methods;
  return withLooks(config, realtime);
}

/**
 * @param {Json} config
 * @param {Json} realtime
 */
function withLooks(config, realtime) {
  // The picture and two buttons, as before: no words are drawn unless none can be heard.
  const same = { skin: "classic", captions: false, textBox: false };
  /** @type {Json} */
  const changed = { ...config, ...same };
  for (const name of LOOKS) changed[name] = { ...config[name], ...realtime[name] };
  const { styles } = realtime.avatar ?? {};
  changed.avatar.styles = { ...config.avatar?.styles, ...styles };
  if (realtime.autoStart !== undefined) changed.autoStart = realtime.autoStart === true;
  return changed;
}

/** @param {Json} given */
function explainKeys(given) {
  const found = KEYS.filter((name) => given[name] !== undefined);
  if (!found.length) return;
  console.warn(
    `${BEFORE}${quoted(found)} is not needed and ignored: the key stays on the server. ` +
      "Take it out of the page, and revoke a key that stood here.",
  );
}

/** @param {Json} config */
function explainConfig(config) {
  const found = Object.keys(config).filter((name) => name !== "function_handler");
  if (!found.length) return;
  console.info(
    `${BEFORE}config: ${quoted(found)} is set on the server and ignored here. ` +
      "The admin imports it: Widgets, Import from deep-chat.",
  );
}

/** @param {Json} realtime */
function explainRest(realtime) {
  const known = (/** @type {string} */ name) => OURS.has(name) || KEYS.includes(name);
  const found = Object.keys(realtime).filter((name) => !known(name));
  if (found.length) console.warn(`${BEFORE}${quoted(found)} is not known and ignored`);
}

/** @param {string[]} names */
function quoted(names) {
  return names.map((name) => `"${name}"`).join(", ");
}
