// Models side by side: the address says which, ?models=en/a,en/b, and models/<language>/<name>.json what they are.

import { languageName } from "./languages.js";
import { sizeInWords } from "./sizes.js";

/** @typedef {Record<string, any>} Model */
/** @typedef {string | string[]} Said */

const MOST = 6;
const NONE = "No models yet: add one by its name, or tick “compare” in the list of models.";
/** Of a model that is named without one, as `pretrained` has it. */
const LANGUAGE = "en";
const MODEL = /^[A-Za-z-]{2,35}\/[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const root = document.documentElement.dataset.root ?? "";

/**
 * What a limit is for: its name on the models' pages, and how its figures are written.
 * @type {Map<string, [string, (figure: number) => string]>}
 */
const MEASURES = new Map([
  ["max", ["largest error", scientific]],
  ["min_cosine", ["smallest cosine", (cosine) => cosine.toFixed(6)]],
  ["mean_cosine", ["mean cosine", (cosine) => cosine.toFixed(6)]],
]);

/** What stands in each line of the table. @type {[string, (model: Model) => Said][]} */
const LINES = [
  ["Task", (model) => model.task],
  ["Language", (model) => [model.language, ...(model.languages ?? [])].map(languageName)],
  ["Annotator", (model) => latest(model).annotator],
  ["Dimension", (model) => model.dimension],
  ["Longest text", (model) => model.max_length && `${model.max_length} tokens`],
  ["Vector of a text", (model) => model.pooling],
  ["Layers", (model) => model.architecture?.layers],
  ["Letter case", (model) => model.architecture && (model.architecture.cased ? "kept" : "ignored")],
  ["Release", (model) => latest(model).id],
  ["Published", (model) => new Date(latest(model).time).toISOString().slice(0, 10)],
  ["State", (model) => latest(model).state],
  ["Size", (model) => sizeInWords(latest(model).size)],
  ["Forms", (model) => Object.entries(latest(model).forms).map(([name, form]) => `${name}: ${sizeInWords(form.size)}`)],
  ["Parity, nearest to its limit", (model) => each(model.parity, nearest)],
  ["Tokens a second", (model) => each(model.benchmarks, (one) => Math.round(one.speed).toLocaleString("en"))],
  ["Measured on", (model) => Object.entries(model.machine ?? {}).map(([what, which]) => `${what}: ${which}`)],
  ["Licence", (model) => model.license],
  ["Author", (model) => model.author],
];

/**
 * A line for each form of which something was measured.
 * @param {Record<string, any>[] | undefined} measured
 * @param {(one: Record<string, any>) => string} said
 */
function each(measured, said) {
  return (measured ?? []).map((one) => `${one.form}: ${said(one)}`);
}

/** @param {Model} model */
function latest(model) {
  return model.releases[0];
}

/**
 * The figure that the model's own page has, and at which point of the network it was measured.
 * @param {Record<string, any>} one
 */
function nearest({ measure, point, ...figures }) {
  const [called, written] = MEASURES.get(measure) ?? [measure, String];
  const figure = figures[measure];
  return `${called} ${figure === null || figure === undefined ? "unknown" : written(figure)} at ${point}`;
}

/** Two digits of an exponent at least, as Python has them. @param {number} error */
function scientific(error) {
  return error.toExponential(2).replace(/(\d+)$/, (digits) => digits.padStart(2, "0"));
}

/** @returns {string[]} the models that the address names */
function asked() {
  const named = new URLSearchParams(location.search).getAll("models").flatMap((said) => said.split(","));
  return [...new Set(named.map((name) => name.trim()).filter(Boolean))];
}

/** @param {string[]} names */
function address(names) {
  const written = names.map((name) => encodeURIComponent(name).replaceAll("%2F", "/"));
  return `${location.pathname}?models=${written.join(",")}`;
}

/** @param {string} name @returns {Promise<Model | null>} */
async function fetched(name) {
  if (!MODEL.test(name)) return null;
  const answer = await fetch(`${root}models/${name}.json`);
  return answer.ok ? answer.json() : null;
}

/** @param {string} tag @param {Said | number | undefined} said a list has a line for each */
function cell(tag, said) {
  const made = document.createElement(tag);
  const lines = Array.isArray(said) ? said : [said ?? ""];
  lines.forEach((line, place) => made.append(...(place ? [document.createElement("br")] : []), String(line)));
  return made;
}

/** @param {Model} model @param {string[]} others */
function heading(model, others) {
  const made = cell("th", []);
  const link = document.createElement("a");
  const away = document.createElement("a");
  made.setAttribute("scope", "col");
  link.href = `${root}models/${model.language}/${model.name}.html`;
  link.textContent = model.name;
  away.href = address(others);
  away.textContent = "Remove";
  away.setAttribute("aria-label", `Remove ${model.name}`);
  made.append(link, document.createElement("br"), away);
  return made;
}

/** @param {Model[]} models */
function show(models) {
  const table = /** @type {HTMLTableElement} */ (document.getElementById("compared"));
  const names = models.map((model) => `${model.language}/${model.name}`);
  const head = table.tHead.insertRow();
  head.append(cell("td", ""), ...models.map((model, at) => heading(model, names.toSpliced(at, 1))));
  for (const [label, said] of LINES) {
    const values = models.map(said);
    if (!values.some((value) => value !== undefined && String(value))) continue;
    const line = table.tBodies[0].insertRow();
    const title = cell("th", label);
    title.setAttribute("scope", "row");
    line.append(title, ...values.map((value) => cell("td", value)));
  }
  document.getElementById("box").hidden = models.length === 0;
}

async function start() {
  const all = asked();
  const names = all.slice(0, MOST);
  const found = await Promise.all(names.map((name) => fetched(name).catch(() => null)));
  const missing = names.filter((_, place) => !found[place]);
  show(found.filter((model) => model !== null));
  const count = names.length - missing.length;
  const absent = missing.length ? ` Not here: ${missing.join(", ")}.` : "";
  const over = all.length > MOST ? ` Left out, for ${MOST} are the most: ${all.slice(MOST).join(", ")}.` : "";
  const status = document.getElementById("status");
  status.textContent = names.length ? `${count} model${count === 1 ? "" : "s"}.${absent}${over}` : NONE;
}

document.getElementById("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ (document.getElementById("model"));
  const name = field.value.trim();
  if (name) location.assign(address([...asked(), name.includes("/") ? name : `${LANGUAGE}/${name}`]));
});
start();
