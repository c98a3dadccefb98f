/**
 * What a widget needs beyond the usual, loaded before its first paint.
 *
 * @typedef {object} Parts
 * @property {Record<string, any>} config With the looks of a `directConnection`.
 * @property {string[]} sheets CSS over the widget's own, the look first.
 * @property {import("./views/panel.js").Figure} [figure]
 * @property {typeof import("./extras.js").Extras} [Extras]
 */

import { wantsExtras } from "./config.js";

/**
 * @param {HTMLElement} element
 * @param {Record<string, any>} given The configuration.
 * @param {Record<string, any> | null} directConnection
 * @returns {Promise<Parts>}
 */
export async function loadParts(element, given, directConnection) {
  const config = directConnection
    ? (await import("./deep-chat.js")).adopt(element, given, directConnection)
    : given;
  const [look, classic, orb, extras] = await Promise.all([
    lookSheet(element.getAttribute("look") ?? config.look),
    config.skin === "classic" && import("./views/classic.js"),
    config.figure === "orb" && import("./views/orb.js"),
    wantsExtras(config, element) && import("./extras.js"),
  ]);
  return {
    config,
    sheets: [look, orb ? orb.OrbView.sheet : "", classic ? classic.CLASSIC : ""],
    figure: orb ? new orb.OrbView() : undefined,
    Extras: extras ? extras.Extras : undefined,
  };
}

/**
 * Return the CSS of a ready look, "" for the usual one.
 *
 * @param {string | null | undefined} name
 */
export async function lookSheet(name) {
  if (!name || name === "plain") return "";
  const { sheetOf } = await import("./views/looks.js");
  return sheetOf(name);
}
