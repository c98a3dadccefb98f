/** Addresses in what was said become links; everything else stays text. */

import { el } from "./dom.js";

const ADDRESS = /https?:\/\/[^\s<>"'`]+/g;
/** What ends a sentence rather than an address. */
const TAIL = /[.,;:!?)\]}»”’]+$/;

/**
 * Return words as text and links.
 *
 * A link opens a new page that learns nothing of this one and cannot reach it.
 *
 * @param {string} text
 * @returns {(string | HTMLAnchorElement)[]}
 */
export function withLinks(text) {
  const parts = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutTail(found);
    if (!isAddress(address)) continue;
    const rel = "noopener noreferrer nofollow ugc";
    const attributes = { href: address, target: "_blank", rel, class: "link" };
    parts.push(text.slice(done, index), el("a", attributes, address));
    done = index + address.length;
  }
  return [...parts, text.slice(done)].filter((part) => part !== "");
}

/** @param {string} found A bracket that was opened inside belongs to it. */
function withoutTail(found) {
  const balanced = found.includes("(") && found.endsWith(")");
  return balanced ? found : found.replace(TAIL, "");
}

/** @param {string} address */
function isAddress(address) {
  try {
    // A name or a password in it is there to mislead.
    const { username, password, hostname } = new URL(address);
    return !username && !password && hostname.includes(".");
  } catch {
    return false;
  }
}
