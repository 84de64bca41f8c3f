// The document page of a server that asks for a key: a link cannot carry one, so the server sent an empty page, and
// the text is fetched with the key and written here. Loaded only then.

import { Failure, load } from "./client.js";
import { element, note } from "./dom.js";
import { keyForm } from "./key.js";

/** @typedef {{id: string, title: string, text: string}} Stored */

/** Fetches the document of the address and puts it into `main`, asking for the key until one opens it. @param {HTMLElement} main */
export async function unlock(main) {
  const query = new URLSearchParams(location.search);
  for (;;) {
    try {
      /** @type {Stored} */
      const stored = await load(`/v1/documents/${encodeURIComponent(query.get("id") ?? "")}`);
      document.title = `${stored.title || stored.id} · Alder`;
      main.replaceChildren(...written(stored, query));
      document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
      return;
    } catch (error) {
      if (!(error instanceof Failure) || !error.locked) {
        main.replaceChildren(heading(), note("That did not work", error instanceof Error ? error.message : `${error}`));
        return;
      }
      await new Promise((done) => {
        main.replaceChildren(heading(), keyForm(error.message, () => done(undefined)));
        document.getElementById("key")?.focus();
      });
    }
  }
}

/** The heading of a page that has no document yet. */
const heading = () => element("h1", { class: "unseen" }, "Document");

/** As the server writes it, without the words of the question. @param {Stored} stored @param {URLSearchParams} query */
function written({ id, title, text }, query) {
  const bytes = new TextEncoder().encode(text);
  const cut = (/** @type {number} */ from, /** @type {number} */ to) => new TextDecoder().decode(bytes.subarray(from, to));
  const place = (/** @type {string} */ from, /** @type {string} */ to) => {
    const [start, end] = [from, to].map((name) => Number(query.get(name) ?? NaN));
    return start >= 0 && end > start && end <= bytes.length ? { start, end } : null;
  };
  const said = place("start", "end");
  const passage = place("from", "to");
  const part = (/** @type {number} */ from, /** @type {number} */ to) => {
    if (!said || said.start < from || said.end > to) return [cut(from, to)];
    const mark = element("mark", { class: "said", id: "said", tabindex: "-1" }, cut(said.start, said.end));
    return [cut(from, said.start), mark, cut(said.end, to)];
  };
  const body = passage
    ? [...part(0, passage.start),
      element("div", { class: "passage", id: "passage", tabindex: "-1" }, ...part(passage.start, passage.end)),
      ...part(passage.end, bytes.length)]
    : part(0, bytes.length);
  const page = query.get("page");
  return [
    element("h1", { dir: "auto" }, title || id),
    element("p", { class: "source" }, element("span", { class: "id" }, element("bdi", {}, id), page ? `, page ${page}` : "")),
    element("article", { class: "document", dir: "auto" }, ...body),
  ];
}
