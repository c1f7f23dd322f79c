// Words, and how near two of them are.

const MOST_LETTERS = 200;

/** Latin accents, once a letter is taken apart; the marks of other scripts are part of their letters. */
const ACCENTS = /[\u0300-\u036f]/g;
// Most texts are plain, and much faster so.
const ASCII = /^[\x20-\x7e]*$/;
const ASCII_WORDS = /[a-z0-9]+/g;
const BETWEEN = /[^\p{L}\p{M}\p{N}]+/u;

/**
 * The words of a text in small letters: `small_bert_L2_128` → `["small", "bert", "l2", "128"]`.
 * @param {string} text
 * @returns {string[]}
 */
export function words(text) {
  if (ASCII.test(text)) return text.toLowerCase().match(ASCII_WORDS) ?? [];
  const plain = text.normalize("NFKD").replace(ACCENTS, "").normalize("NFC").toLowerCase();
  return plain.split(BETWEEN).filter(Boolean);
}

/**
 * How many edits a word of that length may be away from what was typed.
 * @param {number} length
 * @returns {number}
 */
export function patience(length) {
  return length < 3 ? 0 : length < 6 ? 1 : 2;
}

/**
 * The digits of a word: a typo in them is another model.
 * @param {string} word
 * @returns {string}
 */
export function digits(word) {
  return word.replace(/[^0-9]/g, "");
}

/** Three lines of the table of edits are enough, and always the same ones: a search fills them 20,000 times. */
const ROWS = [0, 1, 2].map(() => new Uint16Array(MOST_LETTERS + 1));

/**
 * Edits between two words: letters put in, left out, changed, or two neighbours swapped (optimal string alignment).
 * @param {string} one
 * @param {string} other
 * @param {number} limit beyond it the count does not matter
 * @returns {number} at most `limit + 1`
 */
export function distance(one, other, limit) {
  if (Math.abs(one.length - other.length) > limit || other.length > MOST_LETTERS) return limit + 1;
  let [before, last, next] = ROWS;
  for (let column = 0; column <= other.length; column++) last[column] = column;
  for (let row = 1; row <= one.length; row++) {
    let least = (next[0] = row);
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      let edits = same ? last[column - 1] : 1 + Math.min(last[column], next[column - 1], last[column - 1]);
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (swapped) edits = Math.min(edits, before[column - 2] + 1);
      next[column] = edits;
      least = Math.min(least, edits);
    }
    if (least > limit) return limit + 1;
    [before, last, next] = [last, next, before];
  }
  return Math.min(last[other.length], limit + 1);
}
