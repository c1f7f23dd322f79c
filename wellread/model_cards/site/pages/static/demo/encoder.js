/** A model in this browser: tokenizer, graph and pooling. One thread of WebAssembly, and nothing is sent anywhere. */

import * as ort from "./vendor/ort.js";
import { POOLINGS, pooled } from "./pooling.js";
import { Reason } from "./reason.js";
import { Tokeniser, truncated } from "./tokeniser.js";

const STATES = "last_hidden_state";

/**
 * @typedef {{ids: number[], tokens: string[], cut: number, vector: Float32Array, states: Float32Array,
 *   milliseconds: number}} Encoded `states` is (tokens, dimension); `cut` is how many pieces were left out
 */

/** See the module. */
export class Encoder {
  #session;
  #tokeniser;
  #model;

  /** Use `Encoder.open`. */
  constructor(session, tokeniser, model) {
    this.#session = session;
    this.#tokeniser = tokeniser;
    this.#model = model;
  }

  /**
   * @param {import("./published.js").Published} model
   * @param {Map<string, Uint8Array>} files
   * @returns {Promise<Encoder>}
   */
  static async open(model, files) {
    const [tokenizer, configuration] = ["tokenizer.json", "tokenizer_config.json"].map((name) => parsed(files, name));
    await prepare();
    const session = await ort.InferenceSession.create(files.get(model.graph.name), { executionProviders: ["wasm"] });
    return new Encoder(session, new Tokeniser(tokenizer, configuration), model);
  }

  /**
   * @param {string} text
   * @returns {Promise<Encoded>}
   */
  async encode(text) {
    const read = this.#tokeniser.read(text);
    const [ids, tokens] = [read.ids, read.tokens].map((pieces) => truncated(pieces, this.#model.maxLength));
    const began = performance.now();
    const { vector, states } = await this.run(ids);
    return { ids, tokens, cut: read.ids.length - ids.length, vector, states, milliseconds: performance.now() - began };
  }

  /**
   * The pieces' vectors, and the text's by the model's pooling.
   * @param {number[]} ids
   */
  async run(ids) {
    const { pooling, dimension } = this.#model;
    const { output } = POOLINGS[pooling];
    const [mask, types] = [1, 0].map((filled) => tensor(ids.map(() => filled)));
    const inputs = { input_ids: tensor(ids), attention_mask: mask, token_type_ids: types };
    const found = await this.#session.run(inputs, [...new Set([STATES, output])]);
    return { states: found[STATES].data, vector: pooled(pooling, found[output].data, dimension, ids.length) };
  }
}

/** The runtime's bytes are handed over, for many servers do not know the type of a .wasm file. */
async function prepare() {
  if (ort.env.wasm.wasmBinary) return;
  const answer = await fetch(new URL("./vendor/ort.wasm", import.meta.url));
  if (!answer.ok) throw new Reason(`The site answers ${answer.status} when it is asked for the demo's runtime.`);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.logLevel = "error";
  ort.env.wasm.wasmBinary = await answer.arrayBuffer();
}

function tensor(numbers) {
  return new ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), [1, numbers.length]);
}

function parsed(files, name) {
  return JSON.parse(new TextDecoder().decode(files.get(name)));
}
