/**
 * A conversation that a page leaves behind for the next page of the same tab.
 *
 * @typedef {object} Left
 * @property {string} token Names it to the server.
 * @property {boolean} textOnly
 * @property {boolean} muted
 */

/** After so long a visitor does not expect it any more. */
const KEPT_MS = 60_000;
/** Tells this document from the one before it. */
const DOCUMENT = `${Math.random()}`;

/** @param {string} slug */
const keyOf = (slug) => `realtime-widget:${slug}:call`;

/**
 * Keep a running conversation, or one that is being left.
 *
 * @param {string} slug
 * @param {Left} call
 * @param {boolean} isHeld Whether somebody in this document still has it.
 */
export function keep(slug, { token, textOnly, muted }, isHeld) {
  const kept = { token, textOnly, muted, at: Date.now(), in: isHeld ? DOCUMENT : "" };
  try {
    sessionStorage.setItem(keyOf(slug), JSON.stringify(kept));
  } catch {
    // A page without storage cannot hand it on.
  }
}

/**
 * The conversation is over.
 *
 * @param {string} slug
 */
export function forget(slug) {
  try {
    sessionStorage.removeItem(keyOf(slug));
  } catch {
    // There was none.
  }
}

/**
 * Return the conversation to go on with, null for none.
 *
 * @param {string} slug
 * @returns {Left | null}
 */
export function leftBehind(slug) {
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(keyOf(slug)) ?? "null");
  } catch {
    // As if there were none.
  }
  const { token, textOnly, muted, at } = kept ?? {};
  const age = Date.now() - at;
  if (typeof token !== "string" || !(age >= 0 && age <= KEPT_MS)) return null;
  // Another widget of this page holds it.
  if (kept.in === DOCUMENT) return null;
  return { token, textOnly: textOnly === true, muted: muted === true };
}
