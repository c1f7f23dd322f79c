// The files below search/: the directory first, then the others, those of the languages asked for at the front.

/**
 * `shards`: file, languages, models. `facets`: key, label, values with their models.
 * @typedef {{models: number, shards: [string, string[], number][],
 *   facets: [string, string, [string, number][]][]}} Directory
 */

/** @param {string} root the way to the site's root @returns {Promise<Directory>} */
export function loadDirectory(root) {
  return fetched(`${root}search/directory.json`, "no-cache");
}

/**
 * @param {string} root
 * @param {Directory} directory
 * @param {ReadonlySet<string>} languages
 * @param {(shard: import("./search-index.js").Shard) => void} arrived called for each file, as they come
 */
export async function loadShards(root, directory, languages, arrived) {
  const asked = (/** @type {string[]} */ held) => (held.some((language) => languages.has(language)) ? 0 : 1);
  const order = [...directory.shards].sort((a, b) => asked(a[1]) - asked(b[1]));
  // A file never changes under its name, so what the browser has of it is right.
  await Promise.all(order.map(async ([file]) => arrived(await fetched(`${root}search/${file}.json`, "default"))));
}

/** @param {string} address @param {RequestCache} cache */
async function fetched(address, cache) {
  const answer = await fetch(address, { cache });
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return answer.json();
}
