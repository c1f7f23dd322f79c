// How well each model answers what was typed: 0 is not at all.
//
// Every word must be found. Typos are forgiven only where nothing is found as typed, and never in digits, for
// `L2_128` and `L2_768` are two models; last, where still nothing is found, whole names that are nearly that.

import { digits, distance, patience, words } from "./search-words.js";

/** @typedef {import("./search-index.js").Index} Index */
/** @typedef {import("./search-index.js").Entry} Entry */

/** What a word is worth that is the one typed, begins with it, has it inside, or is nearly it. */
const IN_NAME = { whole: 10, start: 7, inside: 4, nearly: 3 };
const IN_TITLE = { whole: 6, start: 4, inside: 2, nearly: 2 };
const IN_FACET = { whole: 3, start: 2, inside: 0, nearly: 1 };
const NAMED = 200;
const STARTS = 40;
const PHRASE = 20;
const MOST_WORDS = 10;
/** Letters that say something in the middle of a word: "en" is a language, and inside every second name. */
const LEAST_INSIDE = 3;

/** More parts in a name than that count no more. */
export const MOST_PARTS = 15;

/** @typedef {"whole" | "start" | "inside" | "nearly" | ""} Likeness */

/**
 * The score of every row, or null where nothing was typed.
 * @param {Index} index
 * @param {string} text
 * @returns {Uint16Array | null}
 */
export function scores(index, text) {
  const typed = words(text).slice(0, MOST_WORDS);
  if (!typed.length) return null;
  const found = all(index, typed, false) ?? all(index, typed, true);
  return found ? named(index, typed, found) : nearest(index, typed.join(""));
}

/** @param {Index} index @param {string[]} typed @param {boolean} forgiving @returns {Uint16Array | null} */
function all(index, typed, forgiving) {
  const total = new Uint16Array(index.size);
  let some = false;
  typed.forEach((word, place) => {
    const { rows, profiles } = levels(index, word, forgiving);
    some = false;
    for (let row = 0; row < total.length; row++) {
      const level = Math.max(rows[row], profiles[index.profile[row]]);
      total[row] = level && (place === 0 || total[row]) ? total[row] + level : 0;
      some ||= total[row] > 0;
    }
  });
  return some ? total : null;
}

/**
 * What one typed word finds: a level for each row, and for each profile.
 * @param {Index} index
 * @param {string} typed
 * @param {boolean} forgiving
 */
function levels(index, typed, forgiving) {
  const rows = new Uint8Array(index.size);
  const profiles = new Uint8Array(index.profiles.length);
  const numbers = digits(typed);
  const limit = forgiving ? patience(typed.length) : 0;
  let known = false;
  for (const entry of index.vocabulary.values()) {
    const likeness = alike(entry, typed, numbers, limit);
    if (!likeness) continue;
    known = true;
    raise(rows, entry.names, IN_NAME[likeness]);
    raise(rows, entry.titles, IN_TITLE[likeness]);
    raise(profiles, entry.profiles, IN_FACET[likeness]);
  }
  if (!known && typed.length >= LEAST_INSIDE) across(index, typed, rows);
  return { rows, profiles };
}

/**
 * Words that were typed without what stands between the parts: `bertl2`.
 * @param {Index} index
 * @param {string} typed
 * @param {Uint8Array} rows
 */
function across(index, typed, rows) {
  for (let row = 0; row < rows.length; row++) {
    if (index.squeezed[row].includes(typed)) rows[row] = IN_NAME.inside;
  }
}

/**
 * @param {Entry} entry
 * @param {string} typed
 * @param {string} numbers the digits of what was typed
 * @param {number} limit edits that are forgiven
 * @returns {Likeness}
 */
function alike({ word, digits: own }, typed, numbers, limit) {
  if (word.startsWith(typed)) return word.length === typed.length ? "whole" : "start";
  if (typed.length >= LEAST_INSIDE && word.includes(typed)) return "inside";
  if (!limit || own !== numbers) return "";
  return distance(typed, word, limit) <= limit ? "nearly" : "";
}

/** @param {Uint8Array} levels @param {number[]} places @param {number} level */
function raise(levels, places, level) {
  for (const place of places) if (levels[place] < level) levels[place] = level;
}

/**
 * More for names that are what was typed, begin with it, or have it in one piece.
 * @param {Index} index
 * @param {string[]} typed
 * @param {Uint16Array} found
 */
function named(index, typed, found) {
  const squeezed = typed.join("");
  for (let row = 0; row < found.length; row++) {
    if (!found[row]) continue;
    const at = index.squeezed[row].indexOf(squeezed);
    if (at >= 0) found[row] += at > 0 ? PHRASE : index.squeezed[row].length === squeezed.length ? NAMED : STARTS;
  }
  return found;
}

/** @param {Index} index @param {string} squeezed @returns {Uint16Array} */
function nearest(index, squeezed) {
  const limit = patience(squeezed.length);
  return Uint16Array.from(index.squeezed, (name) => limit && Math.max(0, limit + 1 - distance(squeezed, name, limit)));
}
