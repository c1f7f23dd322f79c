// In which order models are shown.

/** @typedef {import("./search-index.js").Index} Index */

const PENALTY = new Map([["recommended", -1], ["deprecated", 2], ["yanked", 2]]);

/** @typedef {(a: number, b: number) => number} Compare */

/**
 * How two rows compare in each order; what it leaves equal goes by name.
 * @type {Record<string, (index: Index) => Compare>}
 */
const COMPARED = {
  relevance: standing,
  // What the page shows before anybody asked.
  first: (index) => {
    const [stands, newer] = [standing(index), newest(index)];
    return (a, b) => stands(a, b) || newer(a, b);
  },
  newest,
  smallest: ({ sizes }) => (a, b) => (sizes[a] || Number.MAX_VALUE) - (sizes[b] || Number.MAX_VALUE),
};

/** @param {Index} index @returns {Compare} */
function standing(index) {
  const of = index.profiles.map((profile) => sum(profile.map((pair) => penalty(index.pairs[pair]))));
  return (a, b) => of[index.profile[a]] - of[index.profile[b]];
}

/** @param {Index} index @returns {Compare} */
function newest({ days }) {
  return (a, b) => days[b] - days[a];
}

/** The orders to choose from, the default first: what the address bar says → what people read. */
export const ORDERS = new Map([
  ["relevance", "best match"],
  ["newest", "newest first"],
  ["name", "name"],
  ["smallest", "smallest first"],
]);

/**
 * All rows in an order.
 * @param {Index} index
 * @param {string} name one of ORDERS, or "first"
 * @returns {Int32Array}
 */
export function ordered(index, name) {
  let order = index.orders.get(name);
  if (!order) index.orders.set(name, (order = sorted(index, name)));
  return order;
}

/** @param {Index} index @param {string} name */
function sorted(index, name) {
  if (name === "name") return byName(index);
  const compared = COMPARED[name](index);
  const place = new Int32Array(index.size);
  ordered(index, "name").forEach((row, at) => (place[row] = at));
  return ordered(index, "name").slice().sort((a, b) => compared(a, b) || place[a] - place[b]);
}

/** @param {Index} index with numbers as numbers: L2 before L10 */
function byName(index) {
  const keys = index.names.map((name) => name.toLowerCase().replace(/[0-9]+/g, (digits) => digits.padStart(8, "0")));
  // A plain array: its sort takes the runs that come sorted, as the files are; that of a typed one does not.
  const rows = [...keys.keys()].sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b));
  return Int32Array.from(rows);
}

/** @param {{facet: string, value: string}} pair */
function penalty({ facet, value }) {
  return (facet === "status" && PENALTY.get(value)) || 0;
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((all, number) => all + number, 0);
}
