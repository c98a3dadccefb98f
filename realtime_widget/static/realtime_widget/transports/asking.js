/** Asking the server by HTTP: for a token, for a configuration. */

/** The server refused what the page asked for, in its own words. */
export class SessionRefused extends Error {
  /** @param {{code: string, message?: string, retryable?: boolean}} body */
  constructor({ code, message = "", retryable = true }) {
    super(code);
    this.code = code;
    this.words = message;
    this.retryable = retryable;
  }
}

/**
 * Ask the server; cookies go to the page's own site only.
 *
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<Record<string, any>>} The answer's JSON.
 * @throws {SessionRefused}
 */
export async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, { ...options, credentials: "same-origin" });
  } catch {
    throw new SessionRefused({ code: "connection_lost" });
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new SessionRefused(body.error ?? { code: "internal" });
  return body;
}
