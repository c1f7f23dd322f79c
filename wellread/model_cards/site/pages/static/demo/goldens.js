/** The proof that a model carries with it, replayed in this browser: as wellread/runtime/goldens.py does. */

import { cosine } from "./pooling.js";
import { Reason } from "./reason.js";

/**
 * Compare what the model gives here with what the source gave. Throws a Reason on a miss.
 * @param {import("./encoder.js").Encoder} encoder
 * @param {import("./published.js").Published} model
 * @param {Uint8Array} file golden.json
 * @param {(share: number) => Promise<void>} told is waited for after each text, with the share that is done
 * @returns {Promise<{texts: number, cosine: number, error: number}>} the least cosine and the largest error
 */
export async function replay(encoder, model, file, told) {
  const { goldens } = JSON.parse(new TextDecoder().decode(file));
  if (!goldens.length) throw new Reason("The release holds no golden values, so nothing would prove what is shown.");
  const worst = { texts: goldens.length, cosine: 1, error: 0 };
  for (const [number, golden] of goldens.entries()) {
    const found = await encoder.encode(golden.text);
    if (found.ids.join() !== golden.ids.join()) {
      throw new Reason(`The tokenizer reads ${shown(golden.text)} otherwise here than where it was certified.`);
    }
    const vectors = [...rows(found.states, model.dimension), found.vector];
    compare(model, golden.text, vectors, [...golden.tokens, golden.vector], worst);
    await told((number + 1) / goldens.length);
  }
  return worst;
}

function compare(model, text, found, expected, worst) {
  if (found.length !== expected.length) throw new Reason(miss(text, "the vectors are another number"));
  // Math.min and Math.max hand NaN on, and the comparisons below are written so that NaN is a miss.
  found.forEach((row, at) => {
    worst.cosine = Math.min(worst.cosine, cosine(row, expected[at]));
    worst.error = row.reduce((most, value, each) => Math.max(most, Math.abs(value - expected[at][each])), worst.error);
  });
  if (model.minCosine !== null && !(worst.cosine >= model.minCosine)) {
    throw new Reason(miss(text, `the cosine is ${worst.cosine.toFixed(6)}, at least ${model.minCosine} is asked`));
  }
  if (model.maxError !== null && !(worst.error <= model.maxError)) {
    throw new Reason(miss(text, `it is off by ${worst.error.toExponential(2)}, allowed are ${model.maxError}`));
  }
}

function miss(text, measured) {
  return `This browser does not compute what was certified, so no figure is shown: for ${shown(text)} ${measured}.`;
}

function shown(text) {
  return `“${text.slice(0, 60)}”`;
}

function rows(states, hidden) {
  return Array.from({ length: states.length / hidden }, (_, at) => states.subarray(at * hidden, (at + 1) * hidden));
}
