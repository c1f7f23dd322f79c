// The list of models: what the server wrote until something is asked, then copies of the page's own <template>.

import { languageName } from "./languages.js";
import { sizeInWords } from "./sizes.js";

/** @typedef {import("./search-index.js").Index} Index */

const PAGE = 50;
const BADGES = new Map([["recommended", "good"], ["deprecated", "warn"], ["yanked", "bad"]]);

export class Results {
  /**
   * @param {HTMLElement} list
   * @param {HTMLTemplateElement} blank
   * @param {string} root
   * @param {import("./search-picks.js").Picks} picks
   * @param {() => void} wanted called when somebody wants more than the server wrote
   */
  constructor(list, blank, root, picks, wanted) {
    this.list = list;
    this.blank = blank;
    this.root = root;
    this.picks = picks;
    this.written = [...list.children];
    this.more = /** @type {HTMLButtonElement} */ (element("button", "", "button more"));
    Object.assign(this.more, { type: "button", hidden: true });
    this.more.addEventListener("click", () => (this.rows ? this.#next() : wanted()));
    list.after(this.more);
    for (const row of this.written) picks.offer(row);
  }

  /** What the server wrote. @param {number} models how many there are */
  restore(models) {
    this.rows = undefined;
    this.list.replaceChildren(...this.written);
    this.#offer(models - this.written.length);
  }

  /** After what the server wrote, the models that are not among it. @param {Index} index @param {number[]} rows */
  extend(index, rows) {
    const there = new Set(this.links().map((link) => link.getAttribute("href")));
    this.index = index;
    this.rows = rows.filter((row) => !there.has(this.#address(index, row)));
    this.shown = 0;
    this.#next();
  }

  /** @param {Index} index @param {number[]} rows */
  show(index, rows) {
    this.index = index;
    this.rows = rows;
    this.shown = 0;
    const held = this.links().find((link) => link === document.activeElement)?.href;
    this.list.replaceChildren();
    this.#append();
    // Models that arrive late do not take the focus away from one that stays.
    if (held) this.links().find((link) => link.href === held)?.focus();
  }

  /** @returns {HTMLAnchorElement[]} the links to the models that are shown */
  links() {
    return [...this.list.querySelectorAll("h3 a")].filter((link) => link instanceof HTMLAnchorElement);
  }

  #next() {
    const place = this.list.childElementCount;
    this.#append();
    this.links()[place]?.focus();
  }

  #append() {
    const { index, rows, shown } = this;
    this.list.append(...rows.slice(shown, shown + PAGE).map((row) => this.#row(index, row)));
    this.shown = Math.min(shown + PAGE, rows.length);
    this.#offer(rows.length - this.shown);
  }

  /** @param {number} left */
  #offer(left) {
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${Math.min(PAGE, left)} more`;
  }

  /** @param {Index} index @param {number} row */
  #address(index, row) {
    const [language] = index.values(row, "language");
    return `${this.root}models/${encodeURIComponent(language)}/${encodeURIComponent(index.names[row])}.html`;
  }

  /** @param {Index} index @param {number} row */
  #row(index, row) {
    const copy = /** @type {HTMLElement} */ (this.blank.content.firstElementChild.cloneNode(true));
    const link = copy.querySelector("a");
    const [language] = index.values(row, "language");
    link.href = this.#address(index, row);
    link.textContent = index.titles[row];
    copy.querySelector(".name").textContent = index.names[row];
    copy.querySelector(".facts").append(...facts(index, row, language));
    for (const status of index.values(row, "status").filter((said) => BADGES.has(said))) {
      copy.querySelector("h3").append(" ", element("span", status, `badge ${BADGES.get(status)}`));
      copy.classList.add(status);
    }
    this.picks.offer(copy);
    return copy;
  }
}

/**
 * What stands in a line below a model, in the order of the pages.
 * @param {Index} index
 * @param {number} row
 * @param {string} language
 */
function facts(index, row, language) {
  const dimensions = index.values(row, "dimension").map((number) => `${number} dimension${number === "1" ? "" : "s"}`);
  const size = index.sizes[row] ? [sizeInWords(index.sizes[row])] : [];
  const [tasks, licence] = [index.values(row, "task"), index.values(row, "license")];
  const lines = [...tasks, languageName(language), ...dimensions, ...size, ...licence];
  const date = element("time", new Date(index.days[row] * 864e5).toISOString().slice(0, 10));
  date.setAttribute("datetime", date.textContent);
  const last = element("li");
  last.append(date);
  return [...lines.map((text) => element("li", text)), last];
}

/** @param {string} tag @param {string} text @param {string} className */
export function element(tag, text = "", className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}
