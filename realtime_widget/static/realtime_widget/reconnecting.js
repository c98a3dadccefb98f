/**
 * When to try again after a cut, and when not. Pure: no socket, no clock, no chance.
 */

/** After so long nobody waits any more. */
const PATIENCE_MS = 60_000;
const FIRST_MS = 300;
const LONGEST_MS = 5_000;

const DRAINING = 4503;
const OUR_FAULT = 4500;
const NORMAL = 1000;
/** Codes from here on are the protocol's own; those below come from the network. */
const OWN_CODES = 4000;
/** Refusals by HTTP that a server or the proxy before it gives while it restarts. */
const PASSING = new Set(["connection_lost", "internal", "draining"]);

/** One loss of the connection, until it is there again. */
export class Retries {
  #lostAtMs;
  #tries = 0;

  /** @param {number} nowMs */
  constructor(nowMs) {
    this.#lostAtMs = nowMs;
  }

  /**
   * Return how long to wait before the next try, null to give up.
   *
   * Full jitter: many pages that lose the same server do not come back at once.
   *
   * @param {number} nowMs
   * @param {number} chance 0 to 1.
   */
  next(nowMs, chance) {
    if (nowMs - this.#lostAtMs >= PATIENCE_MS) return null;
    const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#tries);
    this.#tries += 1;
    return chance * most;
  }
}

/**
 * Return whether a close is a cut: whoever wanted the end says so by its code.
 *
 * @param {number} code
 * @param {boolean} retrying Whether this was a try to come back.
 */
export function isCut(code, retrying) {
  if (code === DRAINING) return true;
  if (code === OUR_FAULT) return retrying;
  return code < OWN_CODES && code !== NORMAL;
}

/**
 * Return whether a server that refused by HTTP may be there in a moment.
 *
 * @param {string} code Of the error table.
 */
export function mayPass(code) {
  return PASSING.has(code);
}
