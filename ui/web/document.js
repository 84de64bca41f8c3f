// The document page: `?id=…&start=…&end=…` (bytes of the text), opened at that place.

import { fetchDocument } from "./client.js";
import { element, splitAtBytes } from "./dom.js";

const main = document.getElementById("main");
const parameters = new URLSearchParams(location.search);

function show(...nodes) {
  main.replaceChildren(...nodes);
  main.removeAttribute("aria-busy");
}

/** The text with the place in question marked, and that mark. */
function body(text) {
  const start = Number(parameters.get("start"));
  const end = Number(parameters.get("end"));
  if (!parameters.has("end") || !(start >= 0 && end > start)) return [[text], null];
  const [before, here, after] = splitAtBytes(text, start, end);
  const mark = element("mark", { class: "said", tabindex: "-1" }, here);
  return [[before, mark, after], mark];
}

async function open() {
  const id = parameters.get("id");
  if (!id) return show(element("p", { class: "note" }, "The address names no document."));
  try {
    const found = await fetchDocument(id);
    document.title = `${found.title || id} · Alder`;
    const [nodes, mark] = body(found.text);
    show(
      element("h1", {}, found.title || id),
      element("p", { class: "source" }, element("span", { class: "id" }, id)),
      element("article", { class: "document" }, ...nodes));
    if (mark) {
      mark.scrollIntoView({ block: "center" });
      mark.focus({ preventScroll: true });
    }
  } catch (error) {
    show(element("section", { class: "note" }, element("h2", {}, "That did not work"), element("p", {}, error.message)));
  }
}

document.getElementById("back").addEventListener("click", (event) => {
  const fromHere = document.referrer.startsWith(location.origin) || history.length > 1;
  if (!fromHere) return;
  event.preventDefault();
  history.back();
});

open();
