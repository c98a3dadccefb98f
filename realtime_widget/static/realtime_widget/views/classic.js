/** The skin of pages that come from deep-chat: a picture above two round buttons. */

export const CLASSIC = `
.panel.classic { position: relative; gap: 0; padding: 0; box-shadow: none; overflow: hidden; }
.classic .header { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
.classic .stage { flex: 0 1 auto; block-size: 60%; min-block-size: 0; }
.classic .portrait { margin-block-start: 20px; }
.classic .avatar { padding: 8px; border: 1px solid light-dark(#cfcfcf, #4a5158); background: none; }
.classic .halo { display: none; }
.classic .buttons { flex: 0 1 auto; block-size: 40%; min-block-size: 86px; flex-wrap: nowrap; justify-content: space-around; gap: 0; }
.classic .round, .classic .toggle[data-look="default"] { background: light-dark(#e3e3e3, #363c42); color: light-dark(#1f1f1f, #f2f2f2); }
.classic .round:hover:not(:disabled) { background: light-dark(#d4d4d4, #434a51); }
.classic .round:active:not(:disabled) { transform: none; background: light-dark(#c5c5c5, #50585f); }
.classic .toggle svg { inline-size: 32px; block-size: 32px; }
.classic .microphone[data-look="active"] { background: light-dark(#ffd4d4, #5a2323); color: light-dark(#b00000, #ffb3b3); }
.classic .round:disabled { pointer-events: none; }
.classic .round.busy { animation: none; opacity: .7; }
.classic .loading { inset-inline: 0; inset-block: 8px auto; font-size: 15px; }
.classic .tool { position: absolute; inset-inline: 0; inset-block-start: 4px; }
.classic .problems { position: absolute; inset-inline: 8px; inset-block-end: 4px; z-index: 1; }
.classic .problem { font-size: 17px; color: light-dark(#c00000, #ff9b9b); }
.classic .unlock { position: absolute; inset-block-start: calc(60% - 22px); }
.classic .transcript { flex: 1 1 40%; margin-inline: 12px; }
.classic .composer { flex: none; margin: 0 12px 12px; }
/* Where only typing is left, its box and the words need the room. */
.panel.classic.typing { gap: 8px; padding-block-end: 12px; }
.classic.typing .stage { block-size: 40%; }
.classic.typing .buttons { block-size: auto; padding-block: 8px; }
.classic.typing .problems { position: static; }
.classic.typing .composer { margin-block-end: 0; }
`;
