/** How alike the words of a text are: a picture, and the same figures as a table. */

import { cosine } from "./pooling.js";

const MOST = 16;
const CELL = 28;
const LONGEST = 14;
/** Room of a letter of a label, and between label and picture. */
const LETTER = 8;
const GAP = 8;
const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {{text: string, vector: ArrayLike<number>}} Word
 * @param {Word[]} words
 * @returns {Element[]} picture, caption and table; a sentence where there is nothing to compare
 */
export function similarities(words) {
  const shown = words.slice(0, MOST);
  if (shown.length < 2) return [element("p", {}, "A picture needs a text of two words or more.")];
  const figures = shown.map((one) => shown.map((other) => cosine(one.vector, other.vector)));
  const least = Math.min(...figures.flat());
  return [picture(shown, figures, least), caption(words.length, least), asTable(shown, figures)];
}

function picture(words, figures, least) {
  const labels = words.map((word) => shortened(word.text));
  const room = GAP + LETTER * Math.max(...labels.map((text) => text.length));
  const side = room + words.length * CELL;
  const svg = drawn("svg", { viewBox: `0 0 ${side} ${side}`, width: side, height: side, role: "img", class: "heat" });
  svg.append(drawn("title", {}, "How alike the words are, pair by pair; the table below has the figures"));
  labels.forEach((text, at) => {
    const middle = room + (at + 0.5) * CELL;
    svg.append(label(text, { x: room - GAP, y: middle, "text-anchor": "end" }));
    svg.append(label(text, { x: 0, y: 0, transform: `translate(${middle} ${room - GAP}) rotate(-60)` }));
  });
  const cells = drawn("g", { transform: `translate(${room} ${room})` });
  figures.forEach((row, down) => row.forEach((figure, across) => cells.append(cell(down, across, figure, least))));
  svg.append(cells);
  return svg;
}

/** Opacity tells the figure, so that the picture is right on light and on dark. */
function cell(down, across, figure, least) {
  const share = (figure - least) / Math.max(1 - least, 1e-9);
  const square = drawn("rect", {
    x: across * CELL + 1,
    y: down * CELL + 1,
    width: CELL - 2,
    height: CELL - 2,
    "fill-opacity": (0.06 + 0.94 * Math.min(Math.max(share, 0), 1)).toFixed(3),
  });
  square.append(drawn("title", {}, figure.toFixed(3)));
  return square;
}

function label(text, place) {
  return drawn("text", { ...place, "dominant-baseline": "middle" }, text);
}

function shortened(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function caption(count, least) {
  const first = count > MOST ? ` The first ${MOST} of ${count} words.` : "";
  const scale = `Cosines of the words' vectors: palest ${least.toFixed(2)}, darkest 1.`;
  return element("figcaption", { class: "quiet" }, scale + first);
}

function asTable(words, figures) {
  const details = element("details", {});
  const box = element("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": "Words compared" });
  const table = element("table", {});
  table.append(row([["td", ""], ...words.map((word) => ["th", word.text, "col"])]));
  figures.forEach((each, at) => {
    table.append(row([["th", words[at].text, "row"], ...each.map((figure) => ["td", figure.toFixed(3)])]));
  });
  box.append(table);
  details.append(element("summary", {}, "The same as a table"), box);
  return details;
}

function row(cells) {
  const line = document.createElement("tr");
  line.append(...cells.map(([name, text, scope]) => element(name, scope ? { scope } : {}, text)));
  return line;
}

function element(name, attributes, text = "") {
  return filled(document.createElement(name), attributes, text);
}

function drawn(name, attributes, text = "") {
  return filled(document.createElementNS(SVG, name), attributes, text);
}

function filled(made, attributes, text) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
