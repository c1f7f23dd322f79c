/** The bytes of a zip's members, by Range requests, each piece compared with its sha256 before anything reads it. */

import { Reason } from "./reason.js";

const KEPT = "wellread-pieces";
const SIGNATURE = [0x50, 0x4b, 0x03, 0x04];

/**
 * Whether this page can read parts of the artifact: throws a Reason that says what its owner can do.
 * @param {string} artifact
 */
export async function probe(artifact) {
  if (!globalThis.crypto?.subtle) {
    throw new Reason("Browsers check bytes on https:// and on localhost only, and this page came over plain http.");
  }
  const found = await range(artifact, 0, SIGNATURE.length, () => {});
  if (!SIGNATURE.every((byte, at) => found[at] === byte)) {
    throw new Reason("What the hub answers is no zip: something between may answer for it, such as a login page.");
  }
}

/**
 * A member, whole and checked. Pieces that this browser kept are not fetched again.
 * @param {string} artifact
 * @param {import("./published.js").Member} member
 * @param {number} size bytes of a piece
 * @param {(bytes: number) => void} told is given the bytes of the member that are there, more each time
 * @returns {Promise<Uint8Array>}
 */
export async function fetchMember(artifact, member, size, told) {
  const whole = new Uint8Array(member.size);
  for (const [number, digest] of member.pieces.entries()) {
    const at = number * size;
    const length = Math.min(size, member.size - at);
    const piece = { artifact, start: member.offset + at, length, digest, name: member.name };
    whole.set(await checked(piece, (bytes) => told(at + bytes)), at);
    told(at + length);
  }
  return whole;
}

/** Throw away what this browser kept, of whichever model. */
export async function forget() {
  await keeping(() => caches.delete(KEPT));
}

/** What was kept, else what is fetched, once more if it differs. */
async function checked(piece, told) {
  const kept = await keeping((cache) => cache.match(address(piece)).then((found) => found?.arrayBuffer()));
  if (kept && (await sha256(kept)) === piece.digest) return new Uint8Array(kept);
  for (let tries = 0; tries < 2; tries++) {
    const bytes = await range(piece.artifact, piece.start, piece.length, told);
    if ((await sha256(bytes)) === piece.digest) {
      await keeping((cache) => cache.put(address(piece), new Response(bytes)));
      return bytes;
    }
  }
  const end = piece.start + piece.length;
  throw new Reason(
    `${piece.name} is not what was published: bytes ${piece.start} to ${end} of the zip have another sha256, ` +
      "read twice. Nothing of it was used. Please tell the hub's owner.",
  );
}

/** A stretch of a file. A server that sends all of it is cut off at once. */
async function range(artifact, start, length, told) {
  const answer = await asked(artifact, `bytes=${start}-${start + length - 1}`);
  if (answer.status !== 206) {
    await answer.body?.cancel();
    throw new Reason(refusal(answer.status, new URL(artifact)));
  }
  try {
    return await taken(answer, length, told);
  } catch (error) {
    if (error instanceof Reason) throw error;
    throw new Reason("The connection to the hub broke. What is here already is kept: press Run once more.");
  }
}

async function asked(artifact, wanted) {
  try {
    return await fetch(artifact, { headers: { Range: wanted }, cache: "no-store", credentials: "omit" });
  } catch {
    const { origin } = new URL(artifact);
    if (origin === location.origin) throw new Reason("The hub does not answer. Try again in a moment.");
    throw new Reason(
      `This browser may not read the hub at ${origin}, or it is away. For a demo its owner lets other sites read it ` +
        "(CORS: Access-Control-Allow-Origin: *, with the header Range allowed), or puts the site beside the hub.",
    );
  }
}

function refusal(status, { origin, pathname }) {
  if (status === 200) {
    return (
      "The hub's server sends whole files only. For a demo its owner needs one that answers Range requests, as most do."
    );
  }
  if (status === 404) {
    return origin === location.origin
      ? `The hub's files are expected beside this site, and ${pathname} is not there. The site's owner uploads both.`
      : `The hub at ${origin} does not have the artifact, though this site lists it. Please tell the hub's owner.`;
  }
  return `The hub answers ${status} instead of the bytes that were asked for.`;
}

async function taken(answer, length, told) {
  const bytes = new Uint8Array(length);
  const reader = answer.body.getReader();
  let at = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    if (at + step.value.length > length) {
      await reader.cancel();
      throw new Reason("The hub's server sends more than was asked for.");
    }
    bytes.set(step.value, at);
    at += step.value.length;
    told(at);
  }
  if (at < length) throw new Reason("The hub's server sends less than was asked for.");
  return bytes;
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Something done with the browser's cache. A browser that keeps nothing, or has no room left, only fetches again. */
async function keeping(action) {
  try {
    return await action(await caches.open(KEPT));
  } catch {
    return undefined;
  }
}

function address(piece) {
  return new URL(`piece-${piece.digest}`, document.baseURI).href;
}
