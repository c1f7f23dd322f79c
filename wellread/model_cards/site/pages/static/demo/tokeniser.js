/** Text to ids with the model's own tokenizer.json, and from pieces back to words. */

import { Tokenizer } from "./vendor/tokenizers.js";

const LONE_SURROGATE = /[\ud800-\udfff]/gu;
const NONCHARACTER = "\u{10ffff}";

/** As wellread/runtime/tokenise.py: special tokens written in a text are plain text, and nothing is padded. */
export class Tokeniser {
  #tokenizer;

  /**
   * @param {object} tokenizer what tokenizer.json says
   * @param {object} configuration what tokenizer_config.json says
   */
  constructor(tokenizer, configuration) {
    this.#tokenizer = new Tokenizer({ ...tokenizer, added_tokens: [] }, configuration);
  }

  /**
   * @param {string} text
   * @returns {{ids: number[], tokens: string[]}} [CLS] first and [SEP] last, never cut
   */
  read(text) {
    const { ids, tokens } = this.#tokenizer.encode(text.replace(LONE_SURROGATE, NONCHARACTER));
    return { ids, tokens };
  }
}

/**
 * As much of a text as the model reads, its last piece still [SEP].
 * @template T
 * @param {T[]} pieces
 * @param {number} limit
 * @returns {T[]}
 */
export function truncated(pieces, limit) {
  return pieces.length > limit ? [...pieces.slice(0, limit - 1), pieces[pieces.length - 1]] : pieces;
}

/**
 * The words of a text, each with the position of its first piece, whose vector is the word's.
 * @param {string[]} tokens
 * @returns {{text: string, at: number}[]}
 */
export function wordsOf(tokens) {
  const words = [];
  for (let at = 1; at < tokens.length - 1; at++) {
    const goesOn = /^##./u.test(tokens[at]);
    if (goesOn && words.length) words[words.length - 1].text += tokens[at].slice(2);
    else words.push({ text: tokens[at], at });
  }
  return words;
}
