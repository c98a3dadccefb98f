/**
 * Volume, microphone and speaker: a button in the corner of the picture, and what it opens.
 *
 * Loaded by the first conversation by voice.
 *
 * @typedef {object} SoundChoices The element itself.
 * @property {number} volume 0 to 1.
 * @property {() => Promise<{microphones: Device[], speakers: Device[],
 *   microphone: string, speaker: string}>} devices
 * @property {(id: string) => Promise<void>} chooseMicrophone
 * @property {(id: string) => Promise<void>} chooseSpeaker
 *
 * @typedef {{id: string, label: string}} Device
 */

import { el, icon } from "./dom.js";

const SLIDERS =
  "M4 7a1 1 0 0 1 1-1h7.1a3 3 0 0 1 5.8 0H19a1 1 0 1 1 0 2h-1.1a3 3 0 0 1-5.8 0H5a1 1 0 0 1-1-1Zm11 1.2a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4ZM5 16a1 1 0 1 0 0 2h1.1a3 3 0 0 0 5.8 0H19a1 1 0 1 0 0-2h-7.1a3 3 0 0 0-5.8 0H5Zm4 2.2a1.2 1.2 0 1 1 0-2.4 1.2 1.2 0 0 1 0 2.4Z";
const STEPS = 20;

export class SoundMenu {
  static sheet = `
.stage { position: relative; }
.sound-button { position: absolute; inset-block-start: 0; inset-inline-end: 0; display: grid; place-items: center; inline-size: 44px; block-size: 44px; padding: 0; border: 0; border-radius: 50%; background: transparent; color: var(--_muted); }
.sound-button:hover, .sound-button[aria-expanded="true"] { background: var(--_soft); color: var(--_fg); }
.sound-button svg { inline-size: 24px; block-size: 24px; fill: currentcolor; }
/* Open, it needs the room of the picture. */
.panel:has(.sound-menu:not([hidden])) .stage { flex: 0 0 48px; min-block-size: 48px; }
.panel:has(.sound-menu:not([hidden])) .stage.stage.stage .portrait { inline-size: 44px; block-size: 44px; }
.sound-menu { display: grid; gap: 6px; flex: none; padding: 8px 12px; border: var(--_stroke) solid var(--_line); border-radius: var(--_bubble); background: var(--_soft); }
.sound-menu label { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 10px; font-size: .9375rem; }
.sound-menu label span { flex: 0 1 6em; }
.sound-menu input { flex: 1 1 160px; min-inline-size: 0; block-size: 44px; margin: 0; accent-color: var(--_accent); }
.sound-menu select { flex: 1 1 160px; inline-size: 0; min-inline-size: 0; min-block-size: 44px; padding: 8px 10px; border: var(--_stroke) solid var(--_muted); border-radius: min(var(--_pill), 12px); background: var(--_bg); color: inherit; font: inherit; text-overflow: ellipsis; }
:is(.sound-menu :is(input, select)):focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
@media (forced-colors: active) { .sound-button, .sound-menu { border: 1px solid CanvasText; } .sound-button svg { fill: ButtonText; } }
`;
  #sound;
  #words;
  #volume = el("input", {
    type: "range",
    min: "0",
    max: "1",
    step: String(1 / STEPS),
    part: "volume",
  });
  #microphones = el("select", {});
  #speakers = el("select", {});
  #speakerLine;
  #onDevices = () => this.#list();

  /**
   * @param {Record<string, string>} words
   * @param {SoundChoices} sound
   */
  constructor(words, sound) {
    this.#words = words;
    this.#sound = sound;
    const { sound_settings, volume, microphone, speaker } = words;
    this.button = el(
      "button",
      {
        type: "button",
        class: "sound-button",
        part: "button sound-button",
        title: sound_settings,
        "aria-label": sound_settings,
        "aria-expanded": "false",
        "aria-controls": "sound-menu",
      },
      icon(SLIDERS),
    );
    this.#speakerLine = line(speaker, this.#speakers);
    this.element = el(
      "div",
      { id: "sound-menu", class: "sound-menu", part: "sound-menu", role: "group" },
      line(volume, this.#volume),
      line(microphone, this.#microphones),
      this.#speakerLine,
    );
    this.element.setAttribute("aria-label", sound_settings);
    this.element.hidden = true;
    this.#listen();
  }

  #listen() {
    this.button.addEventListener("click", () =>
      this.#turn(Boolean(this.element.hidden)),
    );
    this.#volume.addEventListener("input", () => {
      this.#sound.volume = Number(this.#volume.value);
      this.#sayVolume();
    });
    this.#microphones.addEventListener("change", () =>
      this.#sound.chooseMicrophone(this.#microphones.value),
    );
    this.#speakers.addEventListener("change", () =>
      this.#sound.chooseSpeaker(this.#speakers.value),
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // A floating widget would be put back by it.
      event.preventDefault();
      event.stopPropagation();
      this.#turn(false);
      this.button.focus();
    });
  }

  /** @param {boolean} shown Whether there is a conversation by voice. */
  show(shown) {
    this.button.hidden = !shown;
    if (!shown && !this.element.hidden) this.#turn(false);
  }

  /** @param {boolean} open */
  #turn(open) {
    this.element.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    const { mediaDevices } = navigator;
    if (open) mediaDevices?.addEventListener("devicechange", this.#onDevices);
    else mediaDevices?.removeEventListener("devicechange", this.#onDevices);
    if (!open) return;
    this.#volume.value = String(this.#sound.volume);
    this.#sayVolume();
    this.#list();
    this.#volume.focus();
  }

  #sayVolume() {
    const share = Number(this.#volume.value);
    const words = share.toLocaleString(undefined, { style: "percent" });
    this.#volume.setAttribute("aria-valuetext", words);
  }

  async #list() {
    const { microphones, speakers, microphone, speaker } = await this.#sound.devices();
    fill(this.#microphones, microphones, microphone, this.#words.default_device);
    fill(this.#speakers, speakers, speaker, this.#words.default_device);
    // Not every browser lets a page choose where it sounds.
    this.#speakerLine.hidden = !speakers.length;
  }
}

/**
 * @param {string} words
 * @param {HTMLElement} field
 */
function line(words, field) {
  return el("label", {}, el("span", {}, words), field);
}

/**
 * @param {HTMLSelectElement} select
 * @param {Device[]} devices
 * @param {string} chosen
 * @param {string} usual What the system's own choice is called.
 */
function fill(select, devices, chosen, usual) {
  const named = devices.filter(({ id }) => id && id !== "default");
  const options = [{ id: "", label: usual }, ...named].map(({ id, label }, at) =>
    el("option", { value: id }, label || `${usual} ${at}`),
  );
  select.replaceChildren(...options);
  select.value = options.some(({ value }) => value === chosen) ? chosen : "";
}
