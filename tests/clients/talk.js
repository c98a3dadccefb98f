/** What the JavaScript clients share: the engine's address, sound, and a strict judge. */

import assert from "node:assert/strict";
import { parseRealtimeEvent } from "../../node_modules/@openai/agents-realtime/dist/openaiRealtimeEvents.mjs";

/** Address of the engine, without a query. */
export const url = process.env.REALTIME_URL;
assert.ok(url, "run this with `make test-clients`");

const TIMEOUT_MS = 20_000;
const BYTES_PER_MS = 48;

/**
 * Returns PCM16 of 24 kHz: a square wave, or digital silence.
 *
 * @param {number} ms
 * @param {number} [amplitude]
 */
export function sound(ms, amplitude = 8_000) {
  const samples = new Int16Array((ms * BYTES_PER_MS) / 2);
  samples.forEach((_, at) => {
    samples[at] = at % 80 < 40 ? amplitude : -amplitude;
  });
  return samples.buffer;
}

/** Collects events and waits for those to come; an error fails what waits. */
export class Events {
  /** @type {any[]} */ seen = [];
  /** @type {Set<() => void>} */ #watchers = new Set();
  /** @type {unknown} */ #failed;
  #at = 0;

  /** @param {any} event */
  add(event) {
    this.seen.push(event);
    this.#tell();
  }

  /** @param {unknown} error */
  fail(error) {
    this.#failed ??= error;
    this.#tell();
  }

  #tell() {
    for (const look of this.#watchers) look();
  }

  /**
   * Resolves with the next event of a type, behind the last one that was waited for.
   *
   * @param {string} type
   */
  until(type) {
    const { promise, resolve, reject, stop } = this.#waiting(type);
    const look = () => {
      if (this.#failed) reject(this.#failed);
      const found = this.seen.findIndex(
        (event, at) => at >= this.#at && event.type === type,
      );
      if (found < 0) return;
      this.#at = found + 1;
      resolve(this.seen[found]);
    };
    this.#watchers.add(look);
    look();
    return promise.finally(() => {
      stop();
      this.#watchers.delete(look);
    });
  }

  /** @param {string} type */
  #waiting(type) {
    /** @type {(event: any) => void} */ let resolve = () => {};
    /** @type {(error: unknown) => void} */ let reject = () => {};
    const promise = new Promise((yes, no) => {
      resolve = yes;
      reject = no;
    });
    const timer = setTimeout(() => {
      const seen = this.seen.map((event) => event.type).join(" ");
      reject(new Error(`no ${type} after: ${seen}`));
    }, TIMEOUT_MS);
    return { promise, resolve, reject, stop: () => clearTimeout(timer) };
  }

  /** Fails when the client or the server told an error, also one that came late. */
  end() {
    assert.ifError(this.#failed);
  }

  /** @param {string} type */
  all(type) {
    return this.seen.filter((event) => event.type === type);
  }
}

/**
 * Fails for an event that the schemas of agents-realtime do not know or refuse.
 *
 * @param {any} event
 */
export function check(event) {
  const { data, isGeneric } = parseRealtimeEvent({ data: JSON.stringify(event) });
  assert.ok(data && !isGeneric, `not of the schema: ${JSON.stringify(event)}`);
}
