// The page about the collection: what it holds, and files that are added to it.

import { Failure, status, upload } from "./client.js";
import { count, element, note, share, size } from "./dom.js";

/** @typedef {import("../types").Status} Status */
/** @typedef {import("../types").Uploaded} Uploaded */
/** @typedef {"indexed" | "unchanged" | "skipped" | "failed"} Fate */

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const files = /** @type {HTMLInputElement} */ (byId("files"));
const drop = byId("drop");
const rows = byId("rows");

const POLL_MS = 1500;
/** A request may have 64 MiB; text grows a little when it is written as JSON. */
const FILE_BYTES = 48 << 20;
/** Another writer is waited for so many times. */
const TRIES = 30;
/** Items of one file that are named when they fail. */
const NAMED = 20;

/** How many files met each fate. @type {Map<Fate, number>} */
const sums = new Map();
/** Files are sent one after the other. */
let queue = Promise.resolve();
let waiting = 0;

/** @param {string} term @param {string} value */
const figure = (term, value) => element("div", {}, element("dt", {}, term), element("dd", {}, value));

/** @param {Status} state */
function showStatus({ collection, model, indexing, version }) {
  const facts = [
    `Model ${model.name}: ${model.dimensions} dimensions, ${model.reader ? "reads for answers" : "no reader, so no answers"}`,
    `${count(collection.segments, "segment")}, ${collection.graphs} with a graph`,
    `Alder ${version}`,
  ];
  const parts = [element("dl", { class: "figures" },
    figure("documents", collection.documents.toLocaleString("en")),
    figure("passages", collection.passages.toLocaleString("en")),
    figure("on disk", size(collection.bytes)),
    figure("generation", collection.generation.toLocaleString("en"))),
  element("p", { class: "aside" }, facts.join(" · "))];
  if (indexing?.state === "running") {
    const { bytes_done: done, bytes_total: total, documents } = indexing;
    parts.unshift(element("section", { class: "note" },
      element("p", {}, `Indexing: ${count(documents, "document")}, ${share(done, total)} of the files.`),
      element("progress", { max: `${Math.max(total, 1)}`, value: `${done}`, "aria-label": "Indexing" })));
  } else if (indexing?.state === "failed") {
    parts.unshift(note("Indexing ended early", indexing.detail));
  } else if (indexing?.state === "done") {
    parts.push(element("p", { class: "aside" }, `Last indexed: ${indexing.summary}`));
  }
  const place = byId("status");
  place.replaceChildren(...parts);
  place.removeAttribute("aria-busy");
}

async function watch() {
  try {
    const state = await status();
    showStatus(state);
    if (state.indexing?.state === "running") setTimeout(watch, POLL_MS);
  } catch (error) {
    byId("status").replaceChildren(note("No connection", error instanceof Error ? error.message : `${error}`));
    setTimeout(watch, 3 * POLL_MS);
  }
}

/**
 * What is sent for a file, or why nothing is.
 * @param {File} file
 * @returns {Promise<{type: string, body: BodyInit} | {why: string}>}
 */
async function packed(file) {
  const ending = (file.name.match(/\.([^.]+)$/)?.[1] ?? "").toLowerCase();
  const json = { json: "application/json", jsonl: "application/x-ndjson", ndjson: "application/x-ndjson" }[ending];
  const text = ["txt", "text", "md", "markdown"].includes(ending);
  if (!json && !text) return { why: "this page sends text, Markdown and JSON; alder index reads the other formats" };
  if (file.size > FILE_BYTES) return { why: `larger than ${size(FILE_BYTES)}; alder index reads large files` };
  if (json) return { type: json, body: file };
  let content;
  try {
    content = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return { why: "not text in UTF-8; alder index recognises other encodings" };
  }
  const heading = ending.startsWith("m") ? content.match(/^#\s+(.+)$/m)?.[1].trim() : "";
  const title = heading || file.name.replace(/\.[^.]+$/, "");
  return { type: "application/json", body: JSON.stringify({ id: file.name, title, text: content }) };
}

/** Sends until no other writer is in the way. @param {string} type @param {BodyInit} body */
async function send(type, body) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await upload(type, body);
    } catch (error) {
      if (!(error instanceof Failure) || !error.wait || tries === TRIES) throw error;
      await new Promise((done) => setTimeout(done, 1000 * error.wait));
    }
  }
}

/**
 * Adds one file and writes its line of the report.
 * @param {File} file
 * @param {HTMLElement} cell
 */
async function add(file, cell) {
  cell.replaceChildren("being read and encoded…");
  const what = await packed(file);
  if ("why" in what) return tell(cell, "skipped", what.why);
  try {
    report(cell, await send(what.type, what.body));
  } catch (error) {
    const items = error instanceof Failure ? /** @type {Uploaded["items"]} */ (error.items) : [];
    tell(cell, "failed", items.length ? faults(items) : error instanceof Error ? error.message : `${error}`);
  }
}

/** @param {HTMLElement} cell @param {Uploaded} reply */
function report(cell, { items }) {
  const failed = items.filter((item) => item.status === "failed");
  const fresh = items.filter((item) => item.status === "indexed").length;
  if (items.length === 1) return tell(cell, fresh ? "indexed" : "unchanged");
  const words = `${count(fresh, "document")}, ${items.length - fresh - failed.length} unchanged`;
  if (failed.length) tell(cell, "failed", `${words}; ${faults(failed)}`);
  else tell(cell, fresh ? "indexed" : "unchanged", words);
}

/** @param {Uploaded["items"]} items */
function faults(items) {
  const named = items.slice(0, NAMED).map(({ item, id, detail }) =>
    items.length === 1 && item === 1 ? `${detail}` : `document ${item}${id ? ` (${id})` : ""}: ${detail}`);
  if (items.length > NAMED) named.push(`and ${items.length - NAMED} more`);
  return named.join("; ");
}

/** @param {HTMLElement} cell @param {Fate} fate @param {string} [why] */
function tell(cell, fate, why) {
  cell.replaceChildren(element("b", { class: fate }, fate), why ? `: ${why}` : "");
  sums.set(fate, (sums.get(fate) ?? 0) + 1);
}

function showSums() {
  const words = [...sums].map(([fate, number]) => `${number} ${fate}`);
  if (waiting) words.push(`${waiting} to do`);
  byId("sum").textContent = words.join(", ");
  if (!waiting) byId("said").textContent = words.join(", ");
}

/** @param {Iterable<File>} chosen */
function enqueue(chosen) {
  for (const file of chosen) {
    const cell = element("td", {}, "waiting");
    rows.append(element("tr", {}, element("th", { scope: "row", dir: "auto" }, file.name),
      element("td", { class: "number" }, size(file.size)), cell));
    waiting += 1;
    queue = queue.then(() => add(file, cell)).then(() => {
      waiting -= 1;
      showSums();
      if (!waiting) watch();
    });
  }
  byId("report").hidden = false;
  showSums();
}

files.addEventListener("change", () => {
  enqueue(files.files ?? []);
  files.value = "";
});
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
  });
}
drop.addEventListener("drop", (event) => enqueue(event.dataTransfer?.files ?? []));

watch();
