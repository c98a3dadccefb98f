/**
 * The visitor's language: a list to choose from, and the words that change with it.
 *
 * @typedef {HTMLElement & {config: Record<string, any> | null, state: string,
 *   start: () => Promise<void>}} Widget
 *
 * @typedef {object} Turn What goes on once the widget is built in another language.
 * @property {boolean} talk
 * @property {boolean} focus
 */

import { configFrom } from "./config.js";
import { el } from "./views/dom.js";

const KEY = "realtime-widget:language";
const RESTING = new Set(["idle", "error"]);

/** @type {WeakMap<HTMLElement, Turn>} */
const turns = new WeakMap();
/** Elements that have looked at what was chosen earlier. */
const remembered = new WeakSet();
/** What each element was asked for last. */
const wanted = new WeakMap();

export class LanguagesView {
  static sheet = `
.languages { flex: none; align-self: flex-end; max-inline-size: 100%; }
.languages select { min-block-size: 44px; max-inline-size: 100%; padding: 8px 10px; border: var(--_stroke) solid var(--_muted); border-radius: min(var(--_pill), 12px); background: var(--_bg); color: inherit; font: inherit; }
.languages select:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
`;
  element = el("div", { class: "languages", part: "languages" });

  /**
   * @param {HTMLElement} host
   * @param {Record<string, any>} config
   */
  constructor(host, config) {
    const select = el("select", { part: "language" });
    select.setAttribute("aria-label", config.texts.language);
    for (const { code, name } of config.languages) {
      select.append(el("option", { value: code, lang: code }, name));
    }
    select.value = config.language;
    select.addEventListener("change", () => {
      keep(select.value);
      speak(host, select.value, true);
    });
    this.element.append(select);
    const turn = turns.get(host);
    turns.delete(host);
    // Once everything is in its place.
    queueMicrotask(() => {
      if (turn?.focus) select.focus();
      if (turn?.talk) /** @type {Widget} */ (host).start();
      if (!remembered.has(host)) recall(host, config);
    });
  }
}

/**
 * Give a widget the words of another of its languages, and its conversation too.
 *
 * @param {HTMLElement} element
 * @param {string} code One that the widget's row names; others are told and left.
 * @param {boolean} [focus] Whether the visitor was at the list.
 */
export async function speak(element, code, focus = false) {
  const host = /** @type {Widget} */ (element);
  const { config } = host;
  if (
    !config?.languages?.some((/** @type {{code: string}} */ one) => one.code === code)
  ) {
    console.info(`realtime-widget: "${code}" is none of this widget's languages`);
    return;
  }
  remembered.add(host);
  wanted.set(host, code);
  if (code === config.language) return;
  let next = null;
  try {
    next = await configFrom(config.configUrl, code);
  } catch {
    // The words stay as they are, and so does what the list says.
    console.error("realtime-widget: the words of this language could not be loaded");
  }
  const now = host.config;
  if (wanted.get(host) !== code || !now) return;
  const talk = !RESTING.has(host.state) && !textOnly(host);
  turns.set(host, { talk: talk && next !== null, focus });
  host.lang = next?.language ?? now.language;
  host.dir = next?.dir ?? now.dir;
  host.config = next ? inWords(now, next) : now;
}

/**
 * Return a configuration in other words: whose session it is stays as the page has it.
 *
 * @param {Record<string, any>} config
 * @param {Record<string, any>} other The same widget's, in another language.
 */
export function inWords(config, other) {
  const { language, dir, texts, errors } = other;
  const loading = { ...config.loading, text: other.loading?.text };
  return { ...config, language, dir, texts, errors, loading };
}

/** @param {any} host A conversation in writing goes on when the next words are sent. */
function textOnly(host) {
  return host._call?.session.textOnly === true;
}

/**
 * @param {HTMLElement} host
 * @param {Record<string, any>} config
 */
function recall(host, config) {
  remembered.add(host);
  const choices = [kept(), host.getAttribute("language")];
  const known = config.languages.map((/** @type {{code: string}} */ { code }) => code);
  const code = choices.find((choice) => known.includes(choice));
  if (code) speak(host, code);
}

function kept() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // A page without storage forgets; nothing else is lost.
    return null;
  }
}

/** @param {string} code */
function keep(code) {
  try {
    localStorage.setItem(KEY, code);
  } catch {
    // As above.
  }
}
