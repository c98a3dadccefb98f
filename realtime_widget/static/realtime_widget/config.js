/** A widget's configuration: beside the element, or from its server. */

import { ask, SessionRefused } from "./transports/websocket.js";

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
