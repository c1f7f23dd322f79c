// A search: which models, in which order, and how many each facet would leave.

import { MOST_PARTS, scores } from "./search-match.js";
import { ordered } from "./search-order.js";

/** @typedef {import("./search-index.js").Index} Index */

/**
 * What is asked. `chosen`: facet → values; one of a facet's values is enough, every facet counts.
 * @typedef {{text: string, chosen: Map<string, Set<string>>, sort: string}} Question
 */

const NONE = -1;
const MANY = -2;

/**
 * @param {Index} index
 * @param {Question} question
 * @returns {{rows: number[], counts: Int32Array}} rows in their order; for every pair of the index, how many models
 *   there would be with it, the choice within its own facet left aside
 */
export function find(index, { text, chosen, sort }) {
  const score = scores(index, text);
  const missed = misses(index, chosen);
  const each = new Int32Array(index.profiles.length);
  const rows = [];
  for (const row of ordered(index, !score && sort === "relevance" ? "first" : sort)) {
    if (score && !score[row]) continue;
    const profile = index.profile[row];
    each[profile]++;
    if (missed[profile] === NONE) rows.push(row);
  }
  const best = score && sort === "relevance" ? ranked(index, rows, score) : rows;
  return { rows: best, counts: counted(index, each, missed, [...chosen.keys()]) };
}

/**
 * For each profile the chosen facet that it does not answer: NONE, one of them, or MANY.
 * @param {Index} index
 * @param {Map<string, Set<string>>} chosen
 */
function misses(index, chosen) {
  const missed = new Int8Array(index.profiles.length).fill(NONE);
  [...chosen].forEach(([facet, values], place) => {
    if (!values.size) return;
    const wanted = new Uint8Array(index.pairs.length);
    for (const value of values) wanted[index.pair(facet, value) ?? wanted.length] = 1;
    index.profiles.forEach((profile, number) => {
      if (!profile.some((pair) => wanted[pair])) missed[number] = missed[number] === NONE ? place : MANY;
    });
  });
  return missed;
}

/**
 * @param {Index} index
 * @param {Int32Array} each how many models of each profile were found
 * @param {Int8Array} missed
 * @param {string[]} facets those of the question, in its order
 */
function counted(index, each, missed, facets) {
  const counts = new Int32Array(index.pairs.length);
  index.profiles.forEach((profile, number) => {
    const [found, miss] = [each[number], missed[number]];
    if (!found || miss === MANY) return;
    for (const pair of profile) if (miss === NONE || index.pairs[pair].facet === facets[miss]) counts[pair] += found;
  });
  return counts;
}

/**
 * By score, then the name with fewer parts, then as they came. Scores are few, so nothing is compared.
 * @param {Index} index
 * @param {number[]} rows
 * @param {Uint16Array} score
 */
function ranked(index, rows, score) {
  /** @type {number[][]} */ const buckets = [];
  for (const row of rows) {
    const rank = score[row] * (MOST_PARTS + 1) + MOST_PARTS - Math.min(MOST_PARTS, index.parts[row].length);
    (buckets[rank] ??= []).push(row);
  }
  return Object.keys(buckets).reverse().flatMap((rank) => buckets[Number(rank)]);
}
