/** The page: which model, whether it can run here, and what it gives. Everything that it says is text, never markup. */

import { fetchMember, forget, probe } from "./pieces.js";
import { similarities } from "./picture.js";
import { cosine } from "./pooling.js";
import { readModel } from "./published.js";
import { inWords, Reason } from "./reason.js";
import { sizeInWords } from "../sizes.js";

const LARGE = 300e6;
const SHOWN = 8;

const at = (id) => document.getElementById(id);
const root = document.documentElement.dataset.root ?? "";
const reference = new URLSearchParams(location.search).get("model") ?? "";
let model = null;
let loaded = null;

async function begin() {
  try {
    model = await readModel(reference, root, at("try").dataset.form);
    introduce();
    if (typeof WebAssembly !== "object") throw new Reason("This browser has no WebAssembly, or it is switched off.");
    await probe(model.artifact);
    say(`Run fetches ${sizeInWords(model.size)} of the model once, and the runtime of some 14 MB.`, model.size > LARGE);
    at("run").disabled = false;
  } catch (error) {
    say(`The demo cannot run here. ${inWords(error)}`, true);
    if (!model) leadToAll();
  }
}

/** The link that would be to the model's page leads to the list of all until then. */
function leadToAll() {
  at("page").textContent = "All models";
  at("about").hidden = false;
}

function introduce() {
  document.title = `${model.name} · ${document.title}`;
  at("of").textContent = `of ${model.name}`;
  at("page").href = model.page;
  at("about").hidden = false;
  at("text").value = model.examples[0] ?? "I love NLP";
}

async function run() {
  at("run").disabled = true;
  at("found").hidden = true;
  try {
    loaded ??= await load();
    say("Running…");
    await painted();
    const [one, other] = [at("text").value, at("other").value];
    const first = await loaded.encoder.encode(one);
    const second = other.trim() ? await loaded.encoder.encode(other) : null;
    await show(first, second);
    say("Done: the results are below.");
  } catch (error) {
    say(inWords(error), true);
  } finally {
    at("progress").hidden = true;
    at("run").disabled = false;
  }
}

/** Fetch, check, start and prove; nothing is kept of what does not come that far. */
async function load() {
  say(`Fetching ${sizeInWords(model.size)}…`);
  const files = await fetched();
  say("Starting the model…");
  at("progress").removeAttribute("value");
  await painted();
  const { Encoder } = await part("./encoder.js");
  const { replay } = await part("./goldens.js");
  const encoder = await Encoder.open(model, files);
  say("Comparing it with its source…");
  await painted();
  const worst = await replay(encoder, model, files.get("golden.json"), async (share) => {
    progress(share);
    await painted();
  });
  at("proved").textContent =
    `As close to the source as the int8 form's gate asks (${gate()}): over the release's ${worst.texts} golden texts ` +
    `the least cosine in this browser is ${worst.cosine.toFixed(6)}, ` +
    `the largest difference ${worst.error.toExponential(2)}.`;
  return { encoder };
}

async function fetched() {
  const files = new Map();
  let before = 0;
  for (const member of model.members.values()) {
    const told = (bytes) => progress((before + bytes) / model.size);
    files.set(member.name, await fetchMember(model.artifact, member, model.piece, told));
    before += member.size;
  }
  return files;
}

async function part(script) {
  try {
    return await import(script);
  } catch {
    throw new Reason("The demo's runtime cannot be loaded from this site. Try again in a moment.");
  }
}

function gate() {
  const asked = [];
  if (model.minCosine !== null) asked.push(`cosine ≥ ${model.minCosine}`);
  if (model.maxError !== null) asked.push(`difference ≤ ${model.maxError}`);
  return asked.join(", ");
}

async function show(first, second) {
  const { wordsOf } = await part("./tokeniser.js");
  const vectors = wordsOf(first.tokens).map((word) => ({ text: word.text, vector: row(first, word.at) }));
  const numbers = Array.from(first.vector, (value) => value.toFixed(6));
  at("begins").textContent = `[${numbers.slice(0, SHOWN).join(", ")}${numbers.length > SHOWN ? ", …" : ""}]`;
  at("dimension").textContent = String(numbers.length);
  at("pooling").textContent = model.pooling;
  at("time").textContent = `${first.milliseconds.toFixed(1)} ms`;
  at("pieces").textContent = `${first.ids.length}${first.cut ? `, and ${first.cut} more that were cut off` : ""}`;
  at("ids").textContent = first.tokens.map((token, each) => `${token} ${first.ids[each]}`).join("  ");
  at("vector").textContent = `[${numbers.join(", ")}]`;
  at("copy").dataset.copy = at("vector").textContent;
  at("picture").replaceChildren(...similarities(vectors));
  at("both").hidden = second === null;
  if (second) at("cosine").textContent = cosine(first.vector, second.vector).toFixed(6);
  at("found").hidden = false;
}

function row(found, position) {
  return found.states.subarray(position * model.dimension, (position + 1) * model.dimension);
}

function say(words, bad = false) {
  at("reason").textContent = words;
  at("reason").classList.toggle("bad", bad);
}

function progress(share) {
  at("progress").hidden = false;
  at("progress").value = share;
}

/** The browser draws nothing while the model computes, so what was said must be drawn before. */
function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

at("try").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!at("run").disabled) run();
});
at("forget").addEventListener("click", async () => {
  await forget();
  say("This browser keeps nothing of any model now.");
});
begin();
