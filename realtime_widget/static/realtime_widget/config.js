/** A widget's configuration: beside the element, from its server, or by the page. */

import { ask, SessionRefused } from "./transports/asking.js";

/**
 * Read the configuration that the tag put into the page.
 *
 * @param {string | null} id Of the script element.
 * @returns {Record<string, any> | null}
 */
export function configOnPage(id) {
  const script = id ? document.getElementById(id) : null;
  return script?.textContent ? JSON.parse(script.textContent) : null;
}

/**
 * Ask a server for the configuration, in the language of the page.
 *
 * @param {string} src Its address; a `lang` in it is kept.
 * @param {string} language "" leaves the choice to the server.
 * @throws {SessionRefused}
 */
export async function configFrom(src, language) {
  const url = new URL(src, document.baseURI);
  if (language && !url.searchParams.has("lang")) {
    url.searchParams.set("lang", language);
  }
  const config = await ask(url.href);
  // Whatever else lives at that address is no widget.
  if (!config?.sessionUrl) throw new SessionRefused({ code: "internal" });
  return config;
}

/**
 * Return the values that the page tells the agent, from `data-…` attributes.
 *
 * @param {HTMLElement} element
 * @param {string[]} names Those the widget allows.
 */
export function variablesOf(element, names) {
  /** @type {Record<string, string>} */
  const variables = {};
  for (const name of names) {
    const value = element.getAttribute(`data-${name.replaceAll("_", "-")}`);
    if (value !== null) variables[name] = value;
  }
  return variables;
}

/**
 * Take what a page set before the element was defined: it went past the setters.
 *
 * @param {any} element
 */
export function takeEarlyProperties(element) {
  for (const name of ["config", "directConnection", "auxiliaryStyle"]) {
    if (!Object.hasOwn(element, name)) continue;
    const value = element[name];
    delete element[name];
    element[name] = value;
  }
}

/**
 * Read JSON of the page; what is none is told and left out.
 *
 * @param {string} text
 * @returns {Record<string, any> | null}
 */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    console.error("realtime-widget: directConnection is no valid JSON; it is ignored");
    return null;
  }
}

/** What a page may change while it runs; the rest belongs to the server. */
const CHANGEABLE = new Set([
  "title",
  "theme",
  "look",
  "avatar",
  "buttons",
  "loading",
  "error",
  "texts",
]);

/**
 * Return a configuration with what a page changes; it is told what it cannot.
 *
 * @param {Record<string, any>} config
 * @param {Record<string, any>} wanted
 */
export function changed(config, wanted) {
  const next = { ...config };
  for (const [name, value] of Object.entries(wanted)) {
    if (CHANGEABLE.has(name)) next[name] = value;
    else if (name !== "function_handler") {
      console.info(
        `realtime-widget: "${name}" is set on the server and stays as it is`,
      );
    }
  }
  next.texts = { ...config.texts, ...wanted.texts };
  return next;
}

/**
 * Return whether a widget has more than words, picture and buttons in the text.
 *
 * @param {Record<string, any>} config
 * @param {HTMLElement} element
 */
export function wantsExtras(config, element) {
  const form = element.getAttribute("form") ?? config.form ?? "inline";
  const { languages, suggestions, transcriptTools } = config;
  const { consent, feedbackUrl, pictureBytes } = config;
  const more = [
    languages?.length,
    suggestions?.length,
    transcriptTools,
    consent?.hash,
    feedbackUrl,
    pictureBytes,
  ];
  return form !== "inline" || more.some(Boolean);
}
