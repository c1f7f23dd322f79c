// The address bar holds what is asked: ?q=small+bert&language=en&language=de&sort=newest

import { ORDERS } from "./search-order.js";

/** @typedef {import("./search-find.js").Question} Question */

const [DEFAULT] = ORDERS.keys();

/**
 * @param {string} query as `location.search` has it
 * @param {string[]} facets the keys that are known; others are left out
 * @returns {Question}
 */
export function read(query, facets) {
  const said = new URLSearchParams(query);
  const sort = said.get("sort") ?? DEFAULT;
  return {
    text: said.get("q") ?? "",
    chosen: new Map(facets.map((facet) => [facet, new Set(said.getAll(facet))])),
    sort: ORDERS.has(sort) ? sort : DEFAULT,
  };
}

/**
 * @param {Question} question
 * @returns {string} a query with its "?", or nothing where nothing is asked
 */
export function write({ text, chosen, sort }) {
  const said = new URLSearchParams();
  if (text.trim()) said.set("q", text);
  for (const [facet, values] of chosen) for (const value of values) said.append(facet, value);
  if (sort !== DEFAULT) said.set("sort", sort);
  return said.size ? `?${said}` : "";
}
