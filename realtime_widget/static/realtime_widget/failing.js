/**
 * What goes wrong in a call, told once and in the right words.
 *
 * @typedef {object} FailureTold
 * @property {string} code
 * @property {string} words The server's, "" where it said none.
 * @property {boolean} retryable
 * @property {boolean} fatal
 */

import { VERSION } from "./protocol.js";
import { Session } from "./session.js";
import { SessionRefused } from "./transports/asking.js";

export class Failing {
  #session;
  #tell;
  /** The server is of another version than these files. */
  #outdated = false;

  /**
   * @param {Session} session
   * @param {(failure: FailureTold) => void} tell
   */
  constructor(session, tell) {
    this.#session = session;
    this.#tell = tell;
  }

  /** A new call. */
  begin() {
    this.#outdated = false;
  }

  /** @param {unknown} error Why there is no session. */
  refused(error) {
    const refused = error instanceof SessionRefused ? error : null;
    if (!refused) console.error(error);
    const { code = "internal", words = "", retryable = true } = refused ?? {};
    this.#session.fail(code, { fatal: true, retryable });
    this.#told({ code, words, retryable, fatal: true });
  }

  /** @param {number} code Of a socket that closed; said before, it is not said again. */
  closed(code) {
    const error = Session.errorOfClose(code);
    if (!error || this.#session.failure?.fatal) return;
    this.#session.fail(error, { fatal: true });
    const { retryable = true } = this.#session.failure ?? {};
    this.#told({ code: error, words: "", retryable, fatal: true });
  }

  /** @param {Record<string, any>} message An `error` of the server. */
  said({ code, message, retryable, fatal }) {
    const is = { retryable: retryable === true, fatal: fatal === true };
    this.#told({ code, words: message ?? "", ...is });
  }

  /** @param {string} code Something to know; the call goes on. */
  notice(code) {
    this.#tell({ code, words: "", retryable: false, fatal: false });
  }

  /** @param {unknown} version The server's. */
  compare(version) {
    if (!version || version === VERSION || this.#outdated) return;
    this.#outdated = true;
    this.notice("outdated");
  }

  /** @param {FailureTold} failure */
  #told(failure) {
    // A page of another version is not understood however often it tries.
    const mixedUp = this.#outdated && failure.code === "bad_message";
    const other = { code: "outdated", words: "", retryable: false };
    this.#tell(mixedUp ? { ...failure, ...other } : failure);
  }
}
