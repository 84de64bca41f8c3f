// Calls the service. A failure is a `Failure` whose message can be shown as it is.

/** @typedef {import("../types").Asked} Asked */
/** @typedef {import("../types").Reply} Reply */
/** @typedef {import("../types").Status} Status */
/** @typedef {import("../types").Uploaded} Uploaded */

/** Passages on one page. */
export const PAGE = 10;

/** What went wrong, in words; `wait` (seconds) when trying again later may help, `offline` when nobody answered. */
export class Failure extends Error {
  /** @param {string} message @param {{wait?: number, offline?: boolean, items?: object[]}} more */
  constructor(message, more = {}) {
    super(message);
    this.wait = more.wait ?? 0;
    this.offline = more.offline ?? false;
    this.items = more.items ?? [];
  }
}

/**
 * The JSON at `path`.
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function load(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { accept: "application/json", ...options.headers } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Failure("The server does not answer. Is “alder serve” still running?", { offline: true });
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const wait = Number(response.headers.get("retry-after"));
  if (response.status === 414) throw new Failure("The question is too long for an address; “alder ask” takes longer ones.");
  throw new Failure(body.detail || `The server said ${response.status}.`, { wait, items: body.items });
}

/**
 * The path of the interface for a question: passages only, or read for answers.
 * @param {Asked} asked
 * @param {"search" | "ask"} way
 */
export function path(asked, way) {
  const query = new URLSearchParams({ q: asked.q });
  if (asked.mode !== "hybrid") query.set("mode", asked.mode);
  if (asked.offset) query.set("offset", `${asked.offset}`);
  return `/v1/${way}?${query}`;
}

/**
 * Passages, at once; while typing also for words that are only begun.
 * @param {Asked} asked
 * @param {boolean} typing
 * @param {AbortSignal} signal
 * @returns {Promise<Reply>}
 */
export const search = (asked, typing, signal) =>
  load(`${path(asked, "search")}&explain=true${typing ? "&as_you_type=true" : ""}`, { signal });

/** Passages read for answers. @param {Asked} asked @param {AbortSignal} signal @returns {Promise<Reply>} */
export const ask = (asked, signal) => load(`${path(asked, "ask")}&explain=true`, { signal });

/** What the collection holds and whether it is being indexed. @returns {Promise<Status>} */
export const status = () => load("/v1/status");

/** Adds documents. @param {string} type @param {BodyInit} body @returns {Promise<Uploaded>} */
export const upload = (type, body) => load("/v1/documents", { method: "POST", headers: { "content-type": type }, body });
