/**
 * The ready looks: colours, letters and corners, each for light and dark.
 *
 * Loaded before the first paint of a widget that wears one. They are defaults only: the
 * custom properties of a page go over them.
 *
 * @typedef {object} Look
 * @property {Record<string, [light: string, dark: string]>} colours
 * @property {Record<string, string>} [shapes]
 * @property {string} [rules] CSS that no property can say.
 */

/** @type {Record<string, Look>} */
export const LOOKS = {
  ocean: {
    colours: {
      accent: ["#0b5cad", "#8ec5ff"],
      "on-accent": ["#ffffff", "#06233f"],
      bg: ["#fbfdff", "#0f1a26"],
      fg: ["#12263a", "#e8f1fa"],
      muted: ["#4d6378", "#a3b7ca"],
      line: ["#d3e0ec", "#24384c"],
      soft: ["#eaf2fa", "#1a2a3b"],
      error: ["#b3261e", "#ffb4a9"],
    },
    shapes: { radius: "16px", bubble: "12px" },
  },
  berry: {
    colours: {
      accent: ["#7b2a86", "#eeb3f2"],
      "on-accent": ["#ffffff", "#3a0f42"],
      bg: ["#fffaff", "#1e1422"],
      fg: ["#2c1a30", "#f6eaf7"],
      muted: ["#6c5570", "#c0a9c4"],
      line: ["#ecd9ee", "#43304a"],
      soft: ["#f8ecf9", "#2d2033"],
      error: ["#a8152f", "#ffb3bd"],
    },
    shapes: { radius: "32px", bubble: "20px" },
  },
  paper: {
    colours: {
      accent: ["#8a3b12", "#f2b98f"],
      "on-accent": ["#ffffff", "#3a1804"],
      bg: ["#fdf8ee", "#211c16"],
      fg: ["#33281c", "#f3eadc"],
      muted: ["#6b5a45", "#bdae98"],
      line: ["#e6d9c2", "#43392d"],
      soft: ["#f5ebd9", "#2f281f"],
      "user-bg": ["#ead3b4", "#5a3d22"],
      "user-fg": ["#33281c", "#fdf3e4"],
      error: ["#9c1c1c", "#ffb4a9"],
    },
    shapes: {
      radius: "10px",
      bubble: "8px",
      pill: "10px",
      font: 'Georgia, Cambria, "Noto Serif", "Times New Roman", serif',
    },
  },
  ink: {
    colours: {
      accent: ["#111111", "#f5f5f5"],
      "on-accent": ["#ffffff", "#111111"],
      bg: ["#ffffff", "#0c0c0c"],
      fg: ["#111111", "#f5f5f5"],
      muted: ["#555555", "#b5b5b5"],
      line: ["#111111", "#5f5f5f"],
      soft: ["#f0f0f0", "#222222"],
      error: ["#b00020", "#ffb4ab"],
    },
    shapes: { radius: "0px", bubble: "0px", pill: "0px", shadow: "none" },
    rules: ".round, .talk-key { border-radius: 0; }",
  },
  contrast: {
    colours: {
      accent: ["#00309e", "#ffe066"],
      "on-accent": ["#ffffff", "#000000"],
      bg: ["#ffffff", "#000000"],
      fg: ["#000000", "#ffffff"],
      muted: ["#262626", "#e6e6e6"],
      line: ["#000000", "#ffffff"],
      soft: ["#ffffff", "#000000"],
      error: ["#8a0000", "#ffb3b3"],
    },
    shapes: { stroke: "2px", shadow: "none" },
    rules:
      ".line, .round, .send, .small { border: 2px solid var(--_line); } .link { text-decoration-thickness: 2px; }",
  },
};

/**
 * Return the CSS of a look, "" for one that is not known.
 *
 * @param {string} name
 */
export function sheetOf(name) {
  if (!Object.hasOwn(LOOKS, name)) return "";
  const { colours, shapes = {}, rules = "" } = LOOKS[name];
  const lines = Object.entries(colours).map(
    ([token, [light, dark]]) =>
      `--_${token}: var(--rw-${token}, light-dark(${light}, ${dark}));`,
  );
  for (const [token, value] of Object.entries(shapes)) {
    lines.push(`--_${token}: var(--rw-${token}, ${value});`);
  }
  return `:host { ${lines.join(" ")} } ${rules}`;
}
