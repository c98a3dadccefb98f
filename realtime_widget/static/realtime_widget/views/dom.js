/** Making elements without markup, and letting in what an editor drew. */

const SVG = "http://www.w3.org/2000/svg";

/** What an icon of the admin may be made of; the server has cleaned it before. */
const ICON_TAGS = new Set(
  "svg g path circle ellipse line polyline polygon rect defs lineargradient radialgradient stop title desc clippath mask symbol".split(
    " ",
  ),
);
const HTML_TAGS = new Set(
  "div span p b strong i em br ul ol li small img svg".split(" "),
);
const FORBIDDEN_VALUE = /url\s*\(\s*["']?\s*(?!#)|javascript:|expression\s*\(|@import/i;

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean | undefined>} [attributes]
 *   `true` sets an empty attribute, `false` and `undefined` none.
 * @param {...(Node | string)} children Strings become text, never markup.
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children);
  return element;
}

/**
 * Make an icon of one path.
 *
 * @param {string} path
 * @returns {SVGSVGElement}
 */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/**
 * Set an editor's styles through the CSS object model, which no policy refuses.
 *
 * @param {HTMLElement | SVGElement} element
 * @param {Record<string, string | number> | undefined} styles In camelCase.
 */
export function applyStyles(element, styles) {
  for (const [name, value] of Object.entries(styles ?? {})) {
    if (FORBIDDEN_VALUE.test(String(value))) continue;
    const property = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    element.style.setProperty(property, String(value));
  }
}

/**
 * Take styles away again.
 *
 * @param {HTMLElement | SVGElement} element
 */
export function clearStyles(element) {
  element.style.cssText = "";
}

/**
 * Return an editor's icon, null when it is none.
 *
 * @param {string} markup
 * @returns {Element | null}
 */
export function parseIcon(markup) {
  const parsed = new DOMParser().parseFromString(markup, "image/svg+xml");
  const root = parsed.documentElement;
  if (root.localName !== "svg") return null;
  const copied = copyAllowed(root, ICON_TAGS);
  copied?.setAttribute("aria-hidden", "true");
  return copied;
}

/**
 * Return an editor's markup as nodes.
 *
 * @param {string} markup
 * @returns {Node[]}
 */
export function parseMarkup(markup) {
  const parsed = new DOMParser().parseFromString(markup, "text/html");
  return [...parsed.body.childNodes].flatMap((node) => copyNode(node, HTML_TAGS));
}

/**
 * @param {Node} node
 * @param {Set<string>} tags
 * @returns {Node[]}
 */
function copyNode(node, tags) {
  if (node instanceof Text) return [document.createTextNode(node.data)];
  if (!(node instanceof Element)) return [];
  const copied = copyAllowed(node, node.localName === "svg" ? ICON_TAGS : tags);
  return copied ? [copied] : [];
}

/**
 * @param {Element} source
 * @param {Set<string>} tags
 * @returns {Element | null}
 */
function copyAllowed(source, tags) {
  if (!tags.has(source.localName.toLowerCase())) return null;
  const copy = document.createElementNS(source.namespaceURI, source.localName);
  for (const { name, value } of source.attributes) {
    if (mayHave(name, value)) copyAttribute(copy, name, value);
  }
  for (const child of source.childNodes) copy.append(...copyNode(child, tags));
  return copy;
}

/**
 * @param {string} name
 * @param {string} value
 */
function mayHave(name, value) {
  const lower = name.toLowerCase();
  if (lower.startsWith("on") || lower === "id" || lower.includes(":")) return false;
  if (lower === "href" || lower.startsWith("xmlns")) return false;
  if (lower === "src") return value.startsWith("/") && !value.startsWith("//");
  return !FORBIDDEN_VALUE.test(value);
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
function copyAttribute(element, name, value) {
  if (name.toLowerCase() !== "style") element.setAttribute(name, value);
  else if (element instanceof HTMLElement || element instanceof SVGElement) {
    element.style.cssText = value;
  }
}

/**
 * Wait for a part that is shown beside a conversation; null while the network is away.
 * The next view asks for it again.
 *
 * @template T
 * @param {Promise<T>} part
 * @returns {Promise<T | null>}
 */
export function ifLoaded(part) {
  return part.catch(() => null);
}
