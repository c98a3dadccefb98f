/**
 * Where the widget stands: in a corner over the page, over the whole page, or unseen.
 *
 * A floating one is opened by its launcher and put back by its header or Escape; what
 * was open stays open on the next page of the same tab. Closed, the talk goes on.
 */

import { el, icon } from "./dom.js";

const BUBBLE =
  "M12 3C6.5 3 2 6.8 2 11.5c0 2.3 1.1 4.4 2.9 5.9L4 21.2a.6.6 0 0 0 .85.66l4.1-1.9c.97.2 2 .3 3.05.3 5.5 0 10-3.8 10-8.5S17.5 3 12 3Z";
const DOWN =
  "M6.3 9.3a1 1 0 0 1 1.4 0l4.3 4.29 4.3-4.3a1 1 0 1 1 1.4 1.42l-5 5a1 1 0 0 1-1.4 0l-5-5a1 1 0 0 1 0-1.42Z";
const CROSS =
  "M6.3 6.3a1 1 0 0 1 1.4 0L12 10.59l4.3-4.3a1 1 0 1 1 1.4 1.42L13.42 12l4.3 4.3a1 1 0 0 1-1.42 1.4L12 13.42l-4.3 4.3a1 1 0 0 1-1.4-1.42l4.29-4.3-4.3-4.3a1 1 0 0 1 0-1.4Z";

const SHEET = `
:host([form="headless"]) { display: none; }
:host([form="page"]) { position: fixed; inset: 0; inline-size: auto; block-size: auto; border-radius: 0; }
:host([form="page"]) .panel { border: 0; box-shadow: none; padding-inline: max(16px, 50% - 360px); }
:host([form="floating"]) { position: fixed; z-index: var(--rw-layer, 2147483000); inline-size: auto; block-size: auto; max-inline-size: calc(100vw - 32px); }
:host([form="floating"][corner$="-end"]) { inset-inline-end: 16px; }
:host([form="floating"][corner$="-start"]) { inset-inline-start: 16px; }
:host([form="floating"][corner^="bottom"]) { inset-block-end: 16px; }
:host([form="floating"][corner^="top"]) { inset-block-start: 16px; }
:host([form="floating"][corner^="middle"]) { inset-block-start: 50%; translate: 0 -50%; }
:host([form="floating"]) .panel { inline-size: min(var(--rw-width, 380px), 100vw - 32px); block-size: min(var(--rw-height, 560px), 100dvh - 32px); }
.header-buttons { display: flex; gap: 4px; order: 1; margin-inline-start: auto; }
.header:has(.header-buttons) { flex-wrap: nowrap; align-items: center; }
.header:has(.header-buttons) .status { white-space: nowrap; }
.header:has(.header-buttons) .title { min-inline-size: 0; }
.small { display: grid; place-items: center; inline-size: 44px; block-size: 44px; padding: 0; border: 0; border-radius: 50%; background: transparent; color: var(--_muted); flex: none; }
.small:hover { background: var(--_soft); color: var(--_fg); }
.small svg, .launcher svg { inline-size: 24px; block-size: 24px; fill: currentcolor; flex: none; }
.launcher { display: flex; align-items: center; justify-content: center; gap: 10px; min-inline-size: 60px; min-block-size: 60px; padding: 0; border: 0; border-radius: 30px; background: var(--_accent); color: var(--_on-accent); box-shadow: 0 8px 24px -8px rgb(0 0 0 / 45%); max-inline-size: 100%; }
.launcher svg { inline-size: 28px; block-size: 28px; }
.launcher.compact { padding-inline: 18px 22px; font-weight: 600; }
.launcher.compact .words { overflow-wrap: anywhere; text-align: start; }
.launcher:focus-visible, .small:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.launcher[data-talks="true"] { animation: breathe 1.6s ease-in-out infinite; }
/* The classic skin hides its header from sight; these two must be seen. */
.classic .header:has(.header-buttons) { inline-size: auto; block-size: auto; clip-path: none; inset-block-start: 4px; inset-inline-end: 4px; z-index: 2; }
.classic .header:has(.header-buttons) :is(.title, .status) { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
@media (forced-colors: active) { .launcher, .small { border: 1px solid CanvasText; } .launcher svg, .small svg { fill: ButtonText; } }
`;

export class FormView {
  static sheet = SHEET;
  #host;
  #panel;
  #texts;
  #key;
  #title;
  #floating;
  /** @type {HTMLButtonElement | null} */
  #launcher = null;
  #open = true;

  /**
   * @param {HTMLElement} host
   * @param {Record<string, any>} config
   * @param {import("./panel.js").Panel} panel
   * @param {() => void} stop Ends the conversation.
   */
  constructor(host, config, panel, stop) {
    const { form = "inline", floating = {}, texts, title, slug } = config;
    this.#host = host;
    this.#panel = panel;
    this.#texts = texts;
    this.#title = title;
    this.#key = `realtime-widget:${slug}`;
    // What stands on the tag is the page's own wish.
    if (!host.hasAttribute("form")) host.setAttribute("form", form);
    this.#floating = host.getAttribute("form") === "floating";
    if (!this.#floating) return;
    if (!host.hasAttribute("corner")) host.setAttribute("corner", floating.corner);
    this.#build(floating, stop);
    const kept = this.#kept();
    this.#open = kept.open ?? floating.launcher === "full";
    host.hidden = kept.dismissed === true;
    this.#place();
  }

  get nodes() {
    const panel = this.#panel.element;
    return this.#launcher ? [this.#launcher, panel] : [panel];
  }

  /** @param {import("./panel.js").View} view */
  show({ active, state }) {
    if (!this.#launcher) return;
    const { open_widget } = this.#texts;
    const status = active ? this.#texts[`state_${state}`] : "";
    const label = [`${open_widget}: ${this.#title}`, status].filter(Boolean).join(". ");
    this.#launcher.setAttribute("aria-label", label);
    this.#launcher.dataset.talks = String(active);
  }

  /**
   * @param {Record<string, any>} floating
   * @param {() => void} stop
   */
  #build({ launcher, dismissible }, stop) {
    const compact = launcher === "compact";
    const panel = this.#panel.element;
    this.#launcher = el("button", {
      type: "button",
      class: compact ? "launcher compact" : "launcher",
      part: "launcher",
      "aria-expanded": "false",
    });
    this.#launcher.append(icon(BUBBLE));
    if (compact) {
      this.#launcher.append(el("span", { class: "words" }, this.#title));
    }
    this.#launcher.addEventListener("click", () => this.#turn(true));
    const { minimise, dismiss } = this.#texts;
    const buttons = el("span", { class: "header-buttons" });
    buttons.append(small(DOWN, minimise, () => this.#turn(false)));
    if (dismissible) {
      const close = () => {
        stop();
        this.#keep({ dismissed: true });
        this.#host.hidden = true;
      };
      buttons.append(small(CROSS, dismiss, close));
    }
    this.#panel.addToHeader(buttons);
    panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.stopPropagation();
      this.#turn(false);
    });
  }

  /** @param {boolean} open */
  #turn(open) {
    this.#open = open;
    this.#keep({ open });
    this.#place();
    // The button that was pressed is gone: the focus goes to what took its place.
    if (open) this.#panel.focus();
    else this.#launcher?.focus();
  }

  #place() {
    if (!this.#launcher) return;
    this.#launcher.hidden = this.#open;
    this.#launcher.setAttribute("aria-expanded", String(this.#open));
    this.#panel.element.hidden = !this.#open;
  }

  /** @returns {{open?: boolean, dismissed?: boolean}} */
  #kept() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#key) ?? "{}");
    } catch {
      return {};
    }
  }

  /** @param {{open?: boolean, dismissed?: boolean}} change */
  #keep(change) {
    try {
      const kept = { ...this.#kept(), ...change };
      sessionStorage.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // A page without storage forgets; nothing else is lost.
    }
  }
}

/**
 * @param {string} path
 * @param {string} label
 * @param {() => void} onPress
 */
function small(path, label, onPress) {
  const attributes = { type: "button", class: "small", part: "button", title: label };
  const button = el("button", { ...attributes, "aria-label": label }, icon(path));
  button.addEventListener("click", onPress);
  return button;
}
