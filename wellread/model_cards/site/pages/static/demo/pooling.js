/** How the vectors of a text's pieces become the vector of the text: as wellread/runtime/pooling.py has it. */

/**
 * Pooling → the output of the graph that it reads, whether [CLS] and [SEP] count, and what is done: a function of the
 * output's numbers, the hidden size and the first and last (exclusive) position that count.
 * @type {Record<string, {output: string, specials: boolean,
 *   reduce: (states: Float32Array, hidden: number, begin: number, end: number) => Float32Array}>}
 */
export const POOLINGS = {
  mean: { output: "last_hidden_state", specials: true, reduce: mean },
  "mean-words": { output: "last_hidden_state", specials: false, reduce: mean },
  cls: { output: "last_hidden_state", specials: true, reduce: first },
  pooler: { output: "pooler_output", specials: true, reduce: first },
  "pooler-linear": { output: "pooler_linear", specials: true, reduce: first },
};

/**
 * The vector of a text of so many pieces. A text without words has only [CLS] and [SEP], so these count.
 * @param {string} pooling
 * @param {Float32Array} states
 * @param {number} hidden
 * @param {number} pieces
 */
export function pooled(pooling, states, hidden, pieces) {
  const { specials, reduce } = POOLINGS[pooling];
  const edge = specials || pieces === 2 ? 0 : 1;
  return reduce(states, hidden, edge, pieces - edge);
}

function mean(states, hidden, begin, end) {
  const sums = new Float64Array(hidden);
  for (let at = begin * hidden; at < end * hidden; at++) sums[at % hidden] += states[at];
  return Float32Array.from(sums, (sum) => sum / (end - begin));
}

function first(states, hidden) {
  return states.slice(0, hidden);
}

/**
 * The cosine of two vectors; 0 where one of them has no length.
 * @param {ArrayLike<number>} one
 * @param {ArrayLike<number>} other
 */
export function cosine(one, other) {
  let product = 0, left = 0, right = 0;
  for (let at = 0; at < one.length; at++) {
    product += one[at] * other[at];
    left += one[at] ** 2;
    right += other[at] ** 2;
  }
  return product / Math.max(Math.sqrt(left * right), Number.MIN_VALUE);
}
