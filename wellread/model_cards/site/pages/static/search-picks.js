// Models that are picked from the list to be compared.

const MODEL = /models\/([^/]+\/[^/]+)\.html$/;

export class Picks {
  /** @param {HTMLElement} place where the link to the comparison goes @param {string} root */
  constructor(place, root) {
    this.root = root;
    /** @type {Set<string>} */ this.picked = new Set();
    this.link = Object.assign(document.createElement("a"), { className: "button", hidden: true });
    place.append(this.link);
  }

  /** Give a model in the list a box. @param {Element} row */
  offer(row) {
    const link = row.querySelector("h3 a");
    const [, model] = MODEL.exec(link?.getAttribute("href") ?? "") ?? [];
    if (!model) return;
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: this.picked.has(model) });
    box.setAttribute("aria-label", `Compare ${link.textContent}`);
    box.addEventListener("change", () => this.#pick(model, box.checked));
    const [item, label] = [document.createElement("li"), document.createElement("label")];
    label.append(box, " compare");
    item.append(label);
    row.querySelector(".facts")?.append(item);
  }

  /** @param {string} model @param {boolean} on */
  #pick(model, on) {
    if (on) this.picked.add(model);
    else this.picked.delete(model);
    const count = this.picked.size;
    this.link.hidden = count === 0;
    this.link.href = `${this.root}compare.html?models=${[...this.picked].join(",")}`;
    this.link.textContent = `Compare ${count} model${count === 1 ? "" : "s"}`;
  }
}
