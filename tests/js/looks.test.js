/** Every ready look can be read, by light and by dark. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  LOOKS,
  sheetOf,
} from "../../realtime_widget/static/realtime_widget/views/looks.js";

/** What is written in the first colour on the second. */
const PAIRS = [
  ["fg", "bg"],
  ["fg", "soft"],
  ["muted", "bg"],
  ["muted", "soft"],
  ["accent", "bg"],
  ["accent", "soft"],
  ["on-accent", "accent"],
  ["user-fg", "user-bg"],
  ["error", "bg"],
];
const AS = { "user-bg": "accent", "user-fg": "on-accent" };
const LEAST = 4.5;

/** @param {string} hex */
function luminance(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} one @param {string} other */
function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test("words of every look stand out by light and by dark", () => {
  const faint = [];
  for (const [name, { colours }] of Object.entries(LOOKS)) {
    const of = (token) => colours[token] ?? colours[AS[token]];
    for (const [ink, ground] of PAIRS) {
      for (const mode of [0, 1]) {
        const ratio = contrast(of(ink)[mode], of(ground)[mode]);
        if (ratio < LEAST) faint.push(`${name} ${mode}: ${ink} on ${ground} ${ratio}`);
      }
    }
  }
  assert.deepEqual(faint, []);
});

test("contrast is measured as WCAG does", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.ok(Math.abs(contrast("#777777", "#ffffff") - 4.478) < 0.001);
});

test("the strongest look has seven to one everywhere", () => {
  const { colours } = LOOKS.contrast;
  for (const token of ["fg", "muted", "accent", "error"]) {
    for (const mode of [0, 1]) {
      assert.ok(contrast(colours[token][mode], colours.bg[mode]) >= 7, token);
    }
  }
});

test("a page's own property goes over a look", () => {
  for (const name of Object.keys(LOOKS)) {
    const sheet = sheetOf(name);
    const owned = sheet.matchAll(/--_([\w-]+): var\(--rw-([\w-]+), /g);
    const tokens = [...owned].map(([, ours, theirs]) => [ours, theirs]);
    assert.ok(tokens.length >= 8);
    assert.ok(tokens.every(([ours, theirs]) => ours === theirs));
  }
});

test("an unknown look has no sheet", () => {
  assert.equal(sheetOf("plain"), "");
  assert.equal(sheetOf("constructor"), "");
});
