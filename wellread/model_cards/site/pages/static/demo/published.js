/** What the site says of a model, and whether a browser can run it. */

import { Reason } from "./reason.js";
import { POOLINGS } from "./pooling.js";

const REFERENCE = /^[a-z]{2,8}(-[A-Za-z0-9]{2,8})*\/[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const NEEDED = ["golden.json", "tokenizer.json", "tokenizer_config.json"];

/**
 * @typedef {{name: string, offset: number, size: number, pieces: string[]}} Member where a file lies in the zip
 * @typedef {{
 *   name: string, language: string, page: string, artifact: string, pooling: string, dimension: number,
 *   maxLength: number, examples: string[], piece: number, minCosine: number | null, maxError: number | null,
 *   graph: Member, members: Map<string, Member>, size: number
 * }} Published `members` are the files that are fetched, `size` their bytes; `piece` bytes are hashed as one
 */

/**
 * The model of that reference, language/name.
 * @param {string} reference
 * @param {string} root the way from this page to the site's root
 * @param {string} form
 * @returns {Promise<Published>}
 */
export async function readModel(reference, root, form) {
  if (!reference) throw new Reason("No model was chosen: open the demo from a model's page.");
  if (!REFERENCE.test(reference)) throw new Reason("The address of this page names no model.");
  const place = new URL(`${root}models/${reference}.json`, document.baseURI);
  return understood(await read(place, reference), place, form);
}

async function read(place, reference) {
  try {
    const answer = await fetch(place);
    if (answer.status === 404) throw new Reason(`This site has no model ${reference}.`);
    if (!answer.ok) throw new Reason(`The site answers ${answer.status} when it is asked for ${reference}.`);
    return await answer.json();
  } catch (error) {
    if (error instanceof Reason) throw error;
    throw new Reason("What the site says of this model cannot be read. Try again in a moment.");
  }
}

function understood(said, place, form) {
  const [release] = said.releases;
  const stated = release.forms[form];
  if (release.state === "yanked") throw new Reason("This release was taken back.");
  if (!said.members.length) throw new Reason(release.problem || "This release has no form that a browser could run.");
  if (!stated?.members) throw new Reason(`This release has no form ${form}, the one that a browser runs.`);
  if (!(said.pooling in POOLINGS)) throw new Reason(`This page does not know the pooling ${said.pooling}.`);
  const graph = stated.members.find((name) => name.endsWith(".onnx"));
  const members = membersOf(said, [graph, ...NEEDED]);
  return {
    name: said.name,
    language: said.language,
    page: new URL(said.page, place).href,
    artifact: new URL(release.url, place).href,
    pooling: said.pooling,
    dimension: said.dimension,
    maxLength: said.max_length,
    examples: said.examples,
    piece: said.piece,
    minCosine: stated.min_cosine,
    maxError: stated.max_error,
    graph: members.get(graph),
    members,
    size: [...members.values()].reduce((sum, member) => sum + member.size, 0),
  };
}

function membersOf(said, names) {
  const found = new Map(said.members.filter((member) => names.includes(member.name)).map((each) => [each.name, each]));
  const missing = names.filter((name) => !found.has(name));
  if (missing.length) throw new Reason(`The release has no ${missing.join(", ")}, which the demo needs.`);
  return found;
}
