/**
 * The agent's picture; it grows with the loudness of what is spoken.
 *
 * @typedef {object} AvatarLooks
 * @property {string} src
 * @property {string} [alt]
 * @property {number} [maxScale]
 * @property {{image?: Record<string, string>, container?: Record<string, string>}} [styles]
 */

import { applyStyles, clearStyles, el } from "./dom.js";

export const DEFAULT_MAX_SCALE = 2.5;
const FULL_SCALE = 255;
/** Bars of the level around the picture follow with this share of the way a frame. */
const FOLLOW = 0.35;

/**
 * Return how large the picture is at a loudness.
 *
 * @param {Uint8Array} bins Frequency bins of an analyser, 0 to 255 each.
 * @param {number} maxScale
 */
export function scaleOf(bins, maxScale) {
  let sum = 0;
  for (const bin of bins) sum += bin;
  const loudness = bins.length ? sum / (bins.length * FULL_SCALE) : 0;
  return 1 + loudness * (maxScale - 1);
}

export class AvatarView {
  #image = el("img", { part: "avatar", class: "avatar", alt: "" });
  #halo = el("span", { class: "halo", "aria-hidden": "true" });
  element = el(
    "div",
    { part: "avatar-area", class: "stage" },
    el("span", { class: "portrait" }, this.#halo, this.#image),
  );
  #maxScale = DEFAULT_MAX_SCALE;
  #scale = 1;
  /** @type {number | undefined} */
  #frame;
  /** @type {Uint8Array<ArrayBuffer> | null} */
  #bins = null;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {AvatarLooks} looks */
  show({ src, alt = "", maxScale, styles = {} }) {
    const wanted = Number(maxScale);
    this.#maxScale = wanted >= 1 ? wanted : DEFAULT_MAX_SCALE;
    if (this.#image.getAttribute("src") !== src) this.#image.src = src;
    this.#image.alt = alt;
    clearStyles(this.#image);
    clearStyles(this.element);
    applyStyles(this.#image, styles.image);
    applyStyles(this.element, styles.container);
  }

  /**
   * Follow what is spoken and heard until `stop`.
   *
   * @param {() => {analyser: AnalyserNode | null, level: number}} levels
   */
  follow(levels) {
    if (this.#frame !== undefined || this.#calm.matches) return;
    const step = () => {
      this.#draw(levels());
      this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  /** Rest. */
  stop() {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#scale = 1;
    this.#image.style.removeProperty("transform");
    this.#halo.style.removeProperty("transform");
  }

  /** @param {{analyser: AnalyserNode | null, level: number}} levels */
  #draw({ analyser, level }) {
    if (analyser) {
      if (this.#bins?.length !== analyser.frequencyBinCount) {
        this.#bins = new Uint8Array(analyser.frequencyBinCount);
      }
      analyser.getByteFrequencyData(this.#bins);
    }
    const wanted = analyser && this.#bins ? scaleOf(this.#bins, this.#maxScale) : 1;
    this.#scale += (wanted - this.#scale) * FOLLOW;
    this.#image.style.transform = `scale(${this.#scale.toFixed(3)})`;
    this.#halo.style.transform = `scale(${(1 + Math.min(1, level * 3) * 0.25).toFixed(3)})`;
  }
}
