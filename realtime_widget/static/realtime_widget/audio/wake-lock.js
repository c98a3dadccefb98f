/** Keeps the screen of a phone on while somebody talks: locked, it takes the microphone. */

export class WakeLock {
  /** @type {{release(): Promise<void>} | null} */
  #lock = null;
  #wanted = false;
  #onVisible = () => this.#ask();

  /** Keep it on from now on; nothing where browsers or batteries do not allow it. */
  take() {
    this.#wanted = true;
    // The browser takes it back from a page that is hidden.
    document.addEventListener("visibilitychange", this.#onVisible);
    this.#ask();
  }

  /** Let it go dark again. */
  release() {
    this.#wanted = false;
    document.removeEventListener("visibilitychange", this.#onVisible);
    this.#lock?.release().catch(() => {});
    this.#lock = null;
  }

  async #ask() {
    const { wakeLock } = /** @type {{wakeLock?: WakeLockSource}} */ (
      /** @type {unknown} */ (navigator)
    );
    if (!wakeLock || document.visibilityState !== "visible") return;
    try {
      const lock = await wakeLock.request("screen");
      if (this.#wanted) this.#lock = lock;
      else await lock.release();
    } catch {
      // A battery that is low: the talk goes on all the same.
    }
  }
}

/**
 * @typedef {{request(type: "screen"): Promise<{release(): Promise<void>}>}} WakeLockSource
 */
