// Bytes for people, as page_templates.size has them.

const UNITS = /** @type {[number, string][]} */ ([[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]);

/**
 * 40_900_000 → "40.9 MB"; "unknown" for none.
 * @param {number | undefined} bytes
 * @returns {string}
 */
export function sizeInWords(bytes) {
  if (!bytes || bytes < 0) return "unknown";
  const [unit, name] = UNITS.find(([least]) => bytes >= least) ?? [1, "B"];
  return unit === 1 ? `${bytes} B` : `${(bytes / unit).toFixed(1)} ${name}`;
}
