// Calls the service. A failure is a `Failure` whose message can be shown as it is. The key of a server that asks for
// one stays in the session of this tab.

/** @typedef {import("../types").Asked} Asked */
/** @typedef {import("../types").Judgement} Judgement */
/** @typedef {import("../types").Reply} Reply */
/** @typedef {import("../types").Status} Status */

/** Passages on one page. */
export const PAGE = 10;
const KEY = "key";

/** What went wrong, in words; `wait` (seconds) when trying again later may help, `offline` when nobody answered,
 * `locked` when a key is needed. */
export class Failure extends Error {
  /** @param {string} message @param {{wait?: number, offline?: boolean, locked?: boolean, status?: number}} more */
  constructor(message, more = {}) {
    super(message);
    this.wait = more.wait ?? 0;
    this.offline = more.offline ?? false;
    this.locked = more.locked ?? false;
    this.status = more.status ?? 0;
  }
}

/** Whether this tab has a key. */
export const hasKey = () => sessionStorage.getItem(KEY) !== null;

/** Keeps the key for this tab; without one, forgets it. @param {string} [key] */
export function keepKey(key) {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
}

/**
 * The JSON at `path`.
 * @param {string} path
 * @param {RequestInit} [options]
 */
export async function load(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = { accept: "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}), ...options.headers };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Failure("The server does not answer. Is “alder serve” still running?", { offline: true });
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const { status } = response;
  if (status === 401) throw new Failure(key ? "The server does not know this key, or not any more." : "", { locked: true });
  if (status === 414) throw new Failure("The question is too long for an address; “alder ask” takes longer ones.");
  throw new Failure(body.detail || `The server said ${status}.`, { wait: Number(response.headers.get("retry-after")), status });
}

/**
 * The path of the interface for a question: passages only, or read for answers.
 * @param {Asked} asked
 * @param {"search" | "ask"} way
 */
export function path(asked, way) {
  const query = new URLSearchParams({ q: asked.q });
  if (asked.mode !== "hybrid") query.set("mode", asked.mode);
  if (asked.filter) query.set("filter", asked.filter);
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

/**
 * Passages read for answers, and the values of fields among them.
 * @param {Asked} asked
 * @param {string[]} fields
 * @param {AbortSignal} signal
 * @returns {Promise<Reply>}
 */
export const ask = (asked, fields, signal) =>
  load(`${path(asked, "ask")}&explain=true${fields.length ? `&facets=${encodeURIComponent(fields.join())}` : ""}`, { signal });

/** What the collection holds and whether it is being indexed. @returns {Promise<Status>} */
export const status = () => load("/v1/status");

/** Records what a person says of a hit or an answer. @param {Judgement} judgement */
export const judge = (judgement) => load("/v1/judgements",
  { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(judgement) });
