// The models that were loaded so far, and the words that lead to them.

import { digits, words } from "./search-words.js";

const FIRST = "#".charCodeAt(0);
const PLAIN = 56;
const BEYOND = 0x100;

/**
 * A file below search/, as search.py writes it.
 * @typedef {{names: string, titles: string, sizes: number[], days: number[],
 *   facets: Record<string, [string[][], string]>}} Shard
 */

/**
 * Where a word occurs: models by their names and titles, profiles by their facets.
 * @typedef {{word: string, digits: string, names: number[], titles: number[], profiles: number[]}} Entry
 */

/**
 * A table of models. A model is a row, known by its number. So are pairs of facet and value, and profiles: all pairs
 * that hold for a model. Models are many and profiles fewer, so those are filtered and counted.
 */
export class Index {
  constructor() {
    /** @type {string[]} */ this.names = [];
    /** @type {string[]} */ this.titles = [];
    /** @type {number[]} */ this.sizes = [];
    /** @type {number[]} */ this.days = [];
    /** @type {number[]} */ this.profile = [];
    /** @type {string[][]} */ this.parts = [];
    /** @type {string[]} names without what stands between their parts */ this.squeezed = [];
    /** @type {{facet: string, value: string}[]} */ this.pairs = [];
    /** @type {number[][]} */ this.profiles = [];
    /** @type {Map<string, Entry>} */ this.vocabulary = new Map();
    /** @type {Map<string, number>} */ this.pairNumbers = new Map();
    /** @type {Map<string, number>} */ this.profileNumbers = new Map();
    /** @type {Map<string, Int32Array>} */ this.orders = new Map();
  }

  /** @returns {number} */
  get size() {
    return this.names.length;
  }

  /**
   * @param {string} facet
   * @param {string} value
   * @returns {number | undefined} the pair's number, if any model has it
   */
  pair(facet, value) {
    return this.pairNumbers.get(`${facet}\n${value}`);
  }

  /** @param {number} row @param {string} facet @returns {string[]} */
  values(row, facet) {
    const pairs = this.profiles[this.profile[row]].map((pair) => this.pairs[pair]);
    return pairs.filter((pair) => pair.facet === facet).map((pair) => pair.value);
  }

  /** @param {Shard} shard */
  add(shard) {
    const names = frontDecoded(shard.names);
    const titles = frontDecoded(shard.titles);
    const columns = Object.entries(shard.facets).map(([facet, [lists, column]]) => ({
      lists: lists.map((values) => values.map((value) => this.#pairNumber(facet, value))),
      column,
    }));
    names.forEach((name, place) => {
      this.#addRow(name, titles[place] || name);
      const own = columns.flatMap(({ lists, column }) => lists[column ? counted(column, place) : 0]);
      this.profile.push(this.#profileNumber(own));
    });
    this.sizes.push(...shard.sizes);
    this.days.push(...shard.days);
    this.orders.clear();
  }

  /** @param {string} name @param {string} title */
  #addRow(name, title) {
    const row = this.names.length;
    const parts = words(name);
    this.names.push(name);
    this.titles.push(title);
    this.parts.push(parts);
    this.squeezed.push(parts.join(""));
    for (const part of new Set(parts)) this.#entry(part).names.push(row);
    if (title !== name) for (const word of new Set(words(title))) this.#entry(word).titles.push(row);
  }

  /** @param {string} facet @param {string} value */
  #pairNumber(facet, value) {
    const known = this.pair(facet, value);
    if (known !== undefined) return known;
    this.pairNumbers.set(`${facet}\n${value}`, this.pairs.length);
    return this.pairs.push({ facet, value }) - 1;
  }

  /** @param {number[]} profile */
  #profileNumber(profile) {
    const key = profile.join();
    const known = this.profileNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.profiles.push(profile) - 1;
    this.profileNumbers.set(key, number);
    for (const word of new Set(profile.flatMap((pair) => words(this.pairs[pair].value)))) {
      this.#entry(word).profiles.push(number);
    }
    return number;
  }

  /** @param {string} word @returns {Entry} */
  #entry(word) {
    const known = this.vocabulary.get(word);
    if (known) return known;
    const entry = { word, digits: digits(word), names: [], titles: [], profiles: [] };
    this.vocabulary.set(word, entry);
    return entry;
  }
}

/** @param {string} text @returns {string[]} */
function frontDecoded(text) {
  let before = "";
  return text.split("\n").map((line) => (before = before.slice(0, counted(line, 0)) + line.slice(1)));
}

/** The number that a character stands for. @param {string} text @param {number} place */
function counted(text, place) {
  const code = text.charCodeAt(place);
  return code < BEYOND ? code - FIRST : code - BEYOND + PLAIN + 1;
}
