// The facets: a group of boxes for each, with how many models every value would leave.

import { languageName } from "./languages.js";
import { element } from "./search-results.js";

/** @typedef {{group: HTMLElement, more: HTMLButtonElement, choices: Map<string, Choice>, all: boolean}} Group */
/** @typedef {{label: HTMLElement, box: HTMLInputElement, count: HTMLElement, models: number}} Choice */

const NUMBER = new Intl.NumberFormat("en");
const SHOWN = 6;
/** From here on there is room beside the results. */
const WIDE = "(min-width: 56.01rem)";

export class Facets {
  /**
   * @param {HTMLElement} place
   * @param {import("./search-load.js").Directory["facets"]} facets
   * @param {(facet: string, value: string, on: boolean) => void} changed
   */
  constructor(place, facets, changed) {
    this.changed = changed;
    /** @type {Map<string, Group>} */
    this.groups = new Map();
    const box = document.createElement("details");
    box.open = matchMedia(WIDE).matches;
    box.append(element("summary", "Filters"));
    for (const [facet, label, values] of facets) {
      box.append(this.#group(facet, label));
      for (const [value, count] of values) this.#choice(facet, value, count);
    }
    place.replaceChildren(box);
    this.#fold();
  }

  /**
   * @param {import("./search-index.js").Index} index
   * @param {Int32Array} counts
   * @param {Map<string, Set<string>>} chosen
   */
  show(index, counts, chosen) {
    index.pairs.forEach(({ facet, value }, pair) => {
      if (counts[pair] || this.groups.get(facet)?.choices.has(value)) this.#choice(facet, value, counts[pair]);
    });
    this.choose(chosen);
  }

  /** @param {Map<string, Set<string>>} chosen */
  choose(chosen) {
    for (const [facet, { choices }] of this.groups) {
      for (const value of chosen.get(facet)) if (!choices.has(value)) this.#choice(facet, value, 0);
      for (const [value, { box }] of choices) box.checked = chosen.get(facet).has(value);
    }
    this.#fold();
  }

  /** @param {string} facet @param {string} label */
  #group(facet, label) {
    const group = document.createElement("fieldset");
    const more = /** @type {HTMLButtonElement} */ (element("button", "", "more"));
    const held = { group, more, choices: new Map(), all: false };
    more.type = "button";
    more.addEventListener("click", () => {
      held.all = true;
      this.#fold();
    });
    group.append(element("legend", label), more);
    this.groups.set(facet, held);
    return group;
  }

  /**
   * Say a value's count; a value that is new gets its box.
   * @param {string} facet
   * @param {string} value
   * @param {number} models
   */
  #choice(facet, value, models) {
    const { choices, more } = this.groups.get(facet);
    let choice = choices.get(value);
    if (!choice) {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", name: facet, value });
      const label = element("label");
      choice = { label, box, count: element("span", "", "count quiet"), models };
      label.append(box, element("span", facet === "language" ? languageName(value) : value), choice.count);
      box.addEventListener("change", () => this.changed(facet, value, box.checked));
      choices.set(value, choice);
      more.before(label);
    }
    if (choice.models === models && choice.count.textContent) return;
    choice.models = models;
    choice.count.textContent = NUMBER.format(models);
  }

  /** Show those that are chosen and the first that would leave a model, all of these once somebody asked. */
  #fold() {
    for (const { group, more, choices, all } of this.groups.values()) {
      let useful = 0;
      for (const { label, box, models } of choices.values()) {
        if (models > 0) useful++;
        label.hidden = !box.checked && (models === 0 || (!all && useful > SHOWN));
      }
      more.hidden = all || useful <= SHOWN;
      more.textContent = `All ${useful}`;
      group.hidden = [...choices.values()].every(({ label }) => label.hidden);
    }
  }
}
