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
  border: 1px solid var(--_line);
  border-radius: inherit;
  box-shadow: 0 12px 32px -18px rgb(0 0 0 / 35%);
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
[data-state="thinking"] .halo, [data-state="connecting"] .halo { opacity: .18; animation: breathe 1.6s ease-in-out infinite; }
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
  border-radius: 14px;
  border-end-start-radius: 4px;
  background: var(--_soft);
  overflow-wrap: anywhere;
}
.line.user {
  align-self: flex-end;
  border-radius: 14px;
  border-end-end-radius: 4px;
  background: var(--_user-bg);
  color: var(--_user-fg);
}
.said { display: block; }
.live .line { border: 1px dashed var(--_muted); }
.who { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.tool, .loading { color: var(--_muted); font-size: .9375rem; text-align: center; }
.problems { display: flex; flex-wrap: wrap; align-items: center; justify-content: center; gap: 8px; text-align: center; }
.problem { color: var(--_error); }
.notice .problem { color: var(--_fg); }
.buttons { position: relative; display: flex; flex-wrap: wrap; align-items: center; justify-content: space-evenly; gap: 12px; }
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
.round:hover:not(:disabled) { background: color-mix(in srgb, var(--_soft), var(--_fg) 10%); }
.round:active:not(:disabled) { transform: scale(.96); }
.toggle[data-look="default"] { background: var(--_accent); color: var(--_on-accent); }
.toggle[data-look="default"]:hover { background: color-mix(in srgb, var(--_accent), var(--_fg) 14%); }
.microphone[data-look="active"] { background: color-mix(in srgb, var(--_error), var(--_bg) 84%); color: var(--_error); }
.round.busy { animation: breathe 1.2s ease-in-out infinite; }
.text-button {
  min-block-size: 44px;
  padding: 8px 18px;
  border: 1px solid var(--_accent);
  border-radius: 22px;
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
  border: 1px solid color-mix(in srgb, var(--_muted), var(--_bg) 25%);
  border-radius: 22px;
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

/**
 * Give a shadow root its looks; a constructed sheet needs no permission of a policy.
 *
 * @param {ShadowRoot} root
 */
export function adoptStyles(root) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SHEET);
  root.adoptedStyleSheets = [sheet];
}
