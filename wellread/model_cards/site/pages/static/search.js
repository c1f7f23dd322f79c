// The search of the home page. It takes over what the server wrote once something is asked:
// a word in the field, a box of a facet, or a query in the address.

import { Facets } from "./search-facets.js";
import { find } from "./search-find.js";
import { Index } from "./search-index.js";
import { moveByKeys } from "./search-keys.js";
import { loadDirectory, loadShards } from "./search-load.js";
import { ORDERS } from "./search-order.js";
import { Picks } from "./search-picks.js";
import { Results, element } from "./search-results.js";
import { read, write } from "./search-state.js";

const root = document.documentElement.dataset.root ?? "";
const field = /** @type {HTMLInputElement} */ (document.getElementById("search"));
const status = document.getElementById("status");
const written = status.textContent;
const LOADING = "Loading the models …";
const blank = /** @type {HTMLTemplateElement} */ (document.getElementById("row"));
const tools = element("p", "", "tools");
const results = new Results(document.getElementById("results"), blank, root, new Picks(tools, root), goOn);
let index = new Index();

/** @type {import("./search-find.js").Question} */
let question = read(location.search, []);
/** @type {Facets} */ let facets;
/** @type {Promise<import("./search-load.js").Directory> | undefined} */ let directory;
/** @type {Promise<void> | undefined} */ let loading;
let loaded = false;
/** Whether somebody who asks nothing wants to see more than the server wrote. */
let further = false;
let models = 0;
let drawn = 0;

const asked = () => write(question) !== "";

/** Load everything, once; where that fails, from the beginning at the next key. */
function load() {
  loading ??= everything().catch(() => {
    loading = directory = undefined;
    index = new Index();
    cancelAnimationFrame(drawn);
    status.textContent = "The search could not be loaded. Is there a connection? Type to try again.";
  });
}

async function everything() {
  const listed = await (directory ??= begin());
  const filled = (index = new Index());
  await loadShards(root, listed, question.chosen.get("language") ?? new Set(), (shard) => {
    if (filled !== index) return; // Another file failed: what still comes would hide that.
    filled.add(shard);
    cancelAnimationFrame(drawn);
    drawn = requestAnimationFrame(show);
  });
  loaded = true;
  show();
}

function show() {
  sort.value = question.sort;
  if (field.value !== question.text) field.value = question.text;
  clear.hidden = !asked();
  if (!asked()) {
    results.restore(models);
    status.textContent = further && loading && !loaded ? LOADING : written;
    if (!loaded) return facets?.choose(question.chosen);
  } else if (!index.size) {
    status.textContent = LOADING;
    return;
  }
  const { rows, counts } = find(index, question);
  facets?.show(index, counts, question.chosen);
  if (asked()) results.show(index, rows);
  else if (further) results.extend(index, rows);
  else return;
  const count = `${rows.length.toLocaleString("en")} model${rows.length === 1 ? "" : "s"}`;
  const hint = rows.length ? "" : ": fewer words or filters find more";
  status.textContent = loaded ? `${count}${hint}` : `${count} so far …`;
}

function goOn() {
  further = true;
  load();
  show();
}

/**
 * Ask something else. A step that people go back over is put into the history.
 * @param {Partial<typeof question>} change
 */
function ask(change, step = true) {
  const before = asked();
  further = false;
  question = { ...question, ...change };
  const address = location.pathname + write(question);
  if (step || before !== asked()) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  load();
  show();
}

/** @param {string} facet @param {string} value @param {boolean} on */
function choose(facet, value, on) {
  const values = new Set(question.chosen.get(facet));
  if (on) values.add(value);
  else values.delete(value);
  ask({ chosen: new Map(question.chosen).set(facet, values) });
}

/** The directory, so that the facets are there before anything is asked. */
async function begin() {
  const listed = await loadDirectory(root);
  models = listed.models;
  facets = new Facets(document.getElementById("facets"), listed.facets, choose);
  fromAddress();
  return listed;
}

function fromAddress() {
  further = false;
  question = read(location.search, facets ? [...facets.groups.keys()] : []);
  if (asked()) load();
  show();
}

const sort = /** @type {HTMLSelectElement} */ (element("select"));
sort.append(...[...ORDERS].map(([name, label]) => new Option(label, name)));
sort.addEventListener("change", () => ask({ sort: sort.value }));
const sorting = element("label", "Sort by ", "sort");
sorting.append(sort);
const clear = /** @type {HTMLButtonElement} */ (element("button", "Clear all", "button"));
clear.type = "button";
clear.addEventListener("click", () => {
  ask({ ...read("", [...question.chosen.keys()]) });
  field.focus();
});
tools.prepend(sorting, " ", clear, " ");
status.after(tools);

field.addEventListener("focus", load);
field.addEventListener("input", () => ask({ text: field.value }, false));
addEventListener("popstate", fromAddress);
moveByKeys(field, results, () => ask({ text: "" }));
directory = begin();
directory.catch(() => (directory = undefined));
