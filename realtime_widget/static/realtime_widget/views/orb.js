/**
 * An orb in place of the picture: what is said bends its edge, what is heard moves a
 * ring around it.
 *
 * Drawn as paths, so that colours, high contrast and sharp screens cost nothing. Loaded
 * before the first paint of a widget that has one.
 */

import { applyStyles, clearStyles, el } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
/** Radius at rest, of a drawing that is 120 wide. */
const REST = 34;
const RING = 41;
/** Most that the edge goes out, and the ring. */
const SWING = 15;
const RING_SWING = 15;
const POINTS = 72;
const BANDS = 5;
/** Speech has hardly anything in the upper half of the bins. */
const USED_BINS = 0.5;
const FULL_SCALE = 255;
/** The edge follows with this share of the way a frame. */
const FOLLOW = 0.3;
/** Turns of the waves a second, one for each band. */
const SPEEDS = [0.11, -0.17, 0.23, -0.29, 0.37];
/** The layers: how far out of step, how much further out. */
const LAYERS = [
  { step: 2.1, grow: 1.16 },
  { step: 1.0, grow: 1.08 },
  { step: 0, grow: 1 },
];

/**
 * Return the loudness of a few bands, 0 to 1 each.
 *
 * @param {Uint8Array} bins Frequency bins of an analyser, 0 to 255 each.
 * @returns {number[]} Low to high.
 */
export function bandsOf(bins) {
  const width = Math.max(1, Math.floor((bins.length * USED_BINS) / BANDS));
  return Array.from({ length: BANDS }, (_, band) => {
    let sum = 0;
    for (let at = band * width; at < (band + 1) * width; at += 1) sum += bins[at] ?? 0;
    return sum / (width * FULL_SCALE);
  });
}

/**
 * Return a closed outline around the middle as the `d` of a path.
 *
 * @param {number[]} bands Loudness of each wave; the n-th has n + 2 bumps.
 * @param {number} radius
 * @param {number} turn Where the waves stand, in turns.
 */
export function outline(bands, radius, turn) {
  const points = Array.from({ length: POINTS }, (_, at) => {
    const angle = (at / POINTS) * 2 * Math.PI;
    let out = 0;
    for (const [band, loudness] of bands.entries()) {
      const phase = turn * SPEEDS[band] * 2 * Math.PI;
      out += loudness * (0.55 + 0.45 * Math.sin((band + 2) * angle + phase));
    }
    const far = radius + Math.min(1, out) * SWING;
    return `${(far * Math.cos(angle)).toFixed(2)} ${(far * Math.sin(angle)).toFixed(2)}`;
  });
  return `M${points.join("L")}Z`;
}

export class OrbView {
  static sheet = `
.orb { inline-size: 100%; block-size: 100%; overflow: visible; fill: var(--_accent); }
.stage:has(.orb) .portrait { inline-size: 168px; block-size: 168px; }
.panel:has(.transcript:not([hidden])) .stage:has(.orb) .portrait { inline-size: 116px; block-size: 116px; }
.orb path { opacity: .3; }
.orb path:nth-of-type(2) { opacity: .45; }
.orb path:nth-of-type(3) { opacity: 1; }
.orb .ring { fill: none; stroke: var(--_accent); stroke-width: 1.5; opacity: .55; }
.orb .shine { fill: #fff; opacity: .3; filter: blur(2px); }
[data-state="idle"] .orb .ring, [data-state="error"] .orb .ring { opacity: 0; }
[data-state="thinking"] .orb, [data-state="connecting"] .orb { animation: breathe 1.6s ease-in-out infinite; }
@media (forced-colors: active) { .orb { fill: CanvasText; } .orb .ring { stroke: CanvasText; } .orb .shine { display: none; } }
`;
  #svg = shape("svg", { viewBox: "-60 -60 120 120", class: "orb", part: "orb" });
  #layers = LAYERS.map(() => shape("path", {}));
  #ring = shape("circle", { class: "ring", r: String(RING) });
  #shine = shape("ellipse", {
    class: "shine",
    cx: "-9",
    cy: "-13",
    rx: "15",
    ry: "10",
  });
  element = el(
    "div",
    { part: "avatar-area", class: "stage" },
    el("span", { class: "portrait" }, this.#svg),
  );
  #bands = new Array(BANDS).fill(0);
  #heard = 0;
  /** @type {number | undefined} */
  #frame;
  /** @type {Uint8Array<ArrayBuffer> | null} */
  #bins = null;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  constructor() {
    this.#svg.append(...this.#layers, this.#shine, this.#ring);
    this.stop();
  }

  /** @param {import("./avatar.js").AvatarLooks} looks Of these, what an orb can have. */
  show({ alt = "", styles = {} }) {
    if (alt) this.#svg.setAttribute("role", "img");
    else this.#svg.removeAttribute("role");
    this.#svg.setAttribute("aria-hidden", String(!alt));
    this.#svg.setAttribute("aria-label", alt);
    clearStyles(this.element);
    applyStyles(this.element, styles.container);
  }

  /**
   * Follow what is spoken and heard until `stop`.
   *
   * @param {() => {analyser: AnalyserNode | null, level: number}} levels
   */
  follow(levels) {
    if (this.#frame !== undefined || this.#calm.matches) return;
    const step = (/** @type {number} */ nowMs) => {
      this.#hear(levels());
      this.#draw(nowMs / 1000);
      this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  /** Rest. */
  stop() {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#bands.fill(0);
    this.#heard = 0;
    this.#draw(0);
  }

  /** @param {{analyser: AnalyserNode | null, level: number}} levels */
  #hear({ analyser, level }) {
    if (analyser && this.#bins?.length !== analyser.frequencyBinCount) {
      this.#bins = new Uint8Array(analyser.frequencyBinCount);
    }
    if (analyser && this.#bins) analyser.getByteFrequencyData(this.#bins);
    const wanted = analyser && this.#bins ? bandsOf(this.#bins) : [];
    for (let band = 0; band < BANDS; band += 1) {
      this.#bands[band] += ((wanted[band] ?? 0) - this.#bands[band]) * FOLLOW;
    }
    this.#heard += (Math.min(1, level * 3) - this.#heard) * FOLLOW;
  }

  /** @param {number} turn */
  #draw(turn) {
    for (const [n, { step, grow }] of LAYERS.entries()) {
      this.#layers[n].setAttribute("d", outline(this.#bands, REST * grow, turn + step));
    }
    this.#ring.setAttribute("r", (RING + this.#heard * RING_SWING).toFixed(2));
  }
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
function shape(tag, attributes) {
  const made = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes))
    made.setAttribute(name, value);
  return made;
}
