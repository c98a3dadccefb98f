/** The looks. Sites change the custom properties and the parts. */

const SHEET = `
:host {
  --_accent: var(--rw-accent, light-dark(#2f5d50, #8fd0b8));
  --_on-accent: var(--rw-on-accent, light-dark(#ffffff, #0d1f19));
  --_bg: var(--rw-bg, light-dark(#ffffff, #171a1d));
  --_fg: var(--rw-fg, light-dark(#1d2327, #eceff1));
  --_muted: var(--rw-muted, light-dark(#5a656d, #a7b1b8));
  --_line: var(--rw-line, light-dark(#e1e5e8, #30363b));
  --_soft: var(--rw-soft, light-dark(#f3f5f6, #20252a));
  --_user-bg: var(--rw-user-bg, var(--_accent));
  --_user-fg: var(--rw-user-fg, var(--_on-accent));
  --_error: var(--rw-error, light-dark(#b3261e, #ffb4a9));
  --_radius: var(--rw-radius, 20px);
  --_bubble: var(--rw-bubble, 14px);
  --_pill: var(--rw-pill, 22px);
  --_stroke: var(--rw-stroke, 1px);
  --_shadow: var(--rw-shadow, 0 12px 32px -18px rgb(0 0 0 / 35%));
  --_font: var(--rw-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  color-scheme: light dark;
  display: block;
  inline-size: min(100%, var(--rw-width, 380px));
  block-size: var(--rw-height, 560px);
  border-radius: var(--_radius);
  font: 400 1rem/1.45 var(--_font);
  color: var(--_fg);
}
:host([hidden]) { display: none; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.panel {
  display: flex;
  flex-direction: column;
  gap: 12px;
  block-size: 100%;
  padding: 16px;
  overflow: auto;
  background: var(--_bg);
  border: var(--_stroke) solid var(--_line);
  border-radius: inherit;
  box-shadow: var(--_shadow);
}
.header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 2px 12px; }
.title { font-weight: 650; overflow-wrap: anywhere; }
.status { color: var(--_muted); font-size: .875rem; }
.status::before {
  content: "";
  display: inline-block;
  inline-size: .55em;
  block-size: .55em;
  margin-inline-end: .5em;
  border-radius: 50%;
  background: var(--_line);
}
.panel:is([data-state="listening"], [data-state="hearing"], [data-state="thinking"], [data-state="speaking"]) .status::before { background: var(--_accent); }
.panel[data-state="error"] .status::before { background: var(--_error); }
.stage { flex: 1 1 160px; min-block-size: 132px; display: grid; place-items: center; overflow: hidden; }
.portrait { position: relative; display: grid; place-items: center; inline-size: 110px; block-size: 110px; transition: inline-size .25s, block-size .25s; }
.avatar {
  position: relative;
  inline-size: 100%;
  block-size: 100%;
  border-radius: 50%;
  object-fit: cover;
  background: var(--_soft);
  will-change: transform;
}
.halo {
  position: absolute;
  inset: -10px;
  border-radius: 50%;
  background: var(--_accent);
  opacity: 0;
  transition: opacity .25s;
}
[data-state="listening"] .halo { opacity: .12; }
[data-state="hearing"] .halo { opacity: .28; }
[data-state="thinking"] .halo, [data-state$="connecting"] .halo { opacity: .18; animation: breathe 1.6s ease-in-out infinite; }
[data-state="speaking"] .halo { opacity: .2; }
/* Beside words the picture is smaller, so that it can still grow. */
.panel:has(.transcript:not([hidden])) .stage { flex: 0 4 132px; min-block-size: 100px; }
.panel:has(.transcript:not([hidden])) .portrait { inline-size: 80px; block-size: 80px; }
.panel.text-only:has(.transcript:not([hidden])) .stage, .panel.text-only .buttons:has(.toggle[data-look="default"]) { display: none; }
.panel.text-only .transcript { flex: 1 1 auto; }
.transcript {
  flex: 1 1 220px;
  min-block-size: 88px;
  overflow-y: auto;
  overscroll-behavior: contain;
  border-radius: 10px;
}
.lines { list-style: none; display: flex; flex-direction: column; gap: 8px; margin: 0; padding: 0 2px; }
.live { margin-block-start: 8px; }
.lines:empty { display: none; }
.line {
  max-inline-size: 88%;
  align-self: flex-start;
  padding: 8px 12px;
  border-radius: var(--_bubble);
  border-end-start-radius: min(4px, var(--_bubble));
  background: var(--_soft);
  overflow-wrap: anywhere;
}
.line.user {
  align-self: flex-end;
  border-radius: var(--_bubble);
  border-end-end-radius: min(4px, var(--_bubble));
  background: var(--_user-bg);
  color: var(--_user-fg);
}
.said { display: block; }
.link { color: inherit; text-underline-offset: 2px; overflow-wrap: anywhere; }
.live .line { border: 1px dashed var(--_muted); }
.who { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.tool, .loading { color: var(--_muted); font-size: .9375rem; text-align: center; }
.problems { display: flex; flex-wrap: wrap; align-items: center; justify-content: center; gap: 8px; text-align: center; }
.problem { color: var(--_error); }
.notice .problem { color: var(--_fg); }
.buttons { position: relative; display: flex; flex-wrap: wrap; align-items: center; justify-content: space-evenly; gap: 12px; }
.loading::after { content: " " attr(data-progress); }
.loading { position: absolute; inset-inline: 0; inset-block-end: calc(100% + 6px); pointer-events: none; }
button, .input { font: inherit; color: inherit; }
button { cursor: pointer; }
button:disabled { opacity: .45; cursor: not-allowed; }
:is(button, .input, .transcript):focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.round {
  display: inline-flex;
  align-items: center;
  justify-content: center;
  gap: 8px;
  min-inline-size: 70px;
  min-block-size: 70px;
  padding: 0;
  border: 0;
  border-radius: 35px;
  background: var(--_soft);
  color: var(--_fg);
  transition: background-color .15s, transform .1s;
}
.round:has(.words) { padding-inline: 20px; }
.round svg { inline-size: 30px; block-size: 30px; fill: currentcolor; flex: none; }
.interrupt { position: absolute; inset-inline: 0; margin-inline: auto; inline-size: 48px; min-inline-size: 48px; min-block-size: 48px; }
.interrupt svg { inline-size: 24px; block-size: 24px; }
.round:hover:not(:disabled) { background: color-mix(in srgb, var(--_soft), var(--_fg) 10%); }
.round:active:not(:disabled) { transform: scale(.96); }
.toggle[data-look="default"] { background: var(--_accent); color: var(--_on-accent); }
.toggle[data-look="default"]:hover { background: color-mix(in srgb, var(--_accent), var(--_fg) 14%); }
.microphone[data-look="active"] { background: color-mix(in srgb, var(--_error), var(--_bg) 84%); color: var(--_error); }
.round.busy { animation: breathe 1.2s ease-in-out infinite; }
.text-button {
  min-block-size: 44px;
  padding: 8px 18px;
  border: var(--_stroke) solid var(--_accent);
  border-radius: var(--_pill);
  background: transparent;
  color: var(--_accent);
  font-weight: 600;
}
.unlock { align-self: center; background: var(--_accent); color: var(--_on-accent); }
.composer { display: flex; gap: 8px; }
.input {
  flex: 1 1 0;
  /* Not its usual twenty letters: these would be wider than a narrow phone. */
  inline-size: 0;
  min-inline-size: 0;
  min-block-size: 44px;
  padding: 8px 16px;
  border: var(--_stroke) solid color-mix(in srgb, var(--_muted), var(--_bg) 25%);
  border-radius: var(--_pill);
  background: var(--_bg);
}
.input::placeholder { color: var(--_muted); opacity: 1; }
.send { flex: none; inline-size: 44px; block-size: 44px; display: grid; place-items: center; border: 0; border-radius: 50%; background: transparent; color: var(--_accent); }
.send:hover { background: var(--_soft); }
.send svg { inline-size: 22px; block-size: 22px; fill: currentcolor; }
:host(:dir(rtl)) .send svg, :host([dir="rtl"]) .send svg { transform: scaleX(-1); }
@keyframes breathe { 50% { opacity: .55; } }
@media (prefers-reduced-motion: reduce) {
  *, ::before { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  .panel, .line, .round, .text-button, .input, .send { border: 1px solid CanvasText; }
  .round svg, .send svg { fill: ButtonText; }
  .status::before { forced-color-adjust: none; background: CanvasText; }
  .halo { display: none; }
}
`;

/** CSS of what was loaded later, for each root. */
/** @type {WeakMap<Node, Set<string>>} */
const later = new WeakMap();

/** @param {string} css A constructed sheet needs no permission of a policy. */
function sheetOf(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
}

/**
 * Give a shadow root its looks.
 *
 * @param {ShadowRoot} root
 * @param {(string | undefined)[]} [more] CSS that goes over it, in this order.
 */
export function adoptStyles(root, more = []) {
  const sheets = [SHEET, ...(later.get(root) ?? []), ...more];
  root.adoptedStyleSheets = sheets.flatMap((css) => (css ? sheetOf(css) : []));
}

/**
 * Add the CSS of a part that is loaded later; what the page says goes over it.
 *
 * @param {Element} inside Stands in the shadow root, or will.
 * @param {string} css
 */
export function addStyles(inside, css) {
  const root = inside.getRootNode();
  const known = later.get(root) ?? new Set();
  later.set(root, known);
  if (!(root instanceof ShadowRoot) || known.has(css)) return;
  known.add(css);
  const [own, ...rest] = root.adoptedStyleSheets;
  root.adoptedStyleSheets = [own, sheetOf(css), ...rest];
}
