// The page about the collection: what it holds, files that are added to it, and what became of them.

import { Failure, hasKey, keepKey, load, status } from "./client.js";
import { count, element, note, share, size } from "./dom.js";

/** @typedef {import("../types").Status} Status */
/** @typedef {import("../types").Task} Task */
/** @typedef {"indexed" | "unchanged" | "skipped" | "failed"} Fate */
/** @typedef {{task: number, cell: HTMLElement}} Sent */

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const files = /** @type {HTMLInputElement} */ (byId("files"));
const drop = byId("drop");
const rows = byId("rows");

const POLL_MS = 1500;
/** Between two looks at the task under way. */
const TASK_MS = 400;
/** What the server takes in one request, less the form around it. */
const FILE_BYTES = (1 << 30) - (1 << 20);
/** A queue that is full is waited for so many times. */
const TRIES = 60;
/** Earlier uploads that are listed. */
const EARLIER = 20;
/** Records of one file that are named when they are refused. */
const NAMED = 20;

/** How many files met each fate. @type {Map<Fate, number>} */
const sums = new Map();
/** Files are sent one after the other. */
let sending = Promise.resolve();
/** Tasks that are not finished, in the order in which they are done. @type {Sent[]} */
const sent = [];
/** Files whose fate is not known yet. */
let open = 0;
let following = false;

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
  if (collection.fields.length) {
    const fields = collection.fields.map(({ name, values, complete }) => `${name} (${values}${complete ? "" : " or more"})`);
    parts.push(element("p", { class: "aside" }, `Fields and their values: ${fields.join(", ")}`));
  }
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
  if (hasKey()) {
    const forget = element("button", { type: "button", class: "quiet" }, "Forget the key");
    forget.addEventListener("click", () => { keepKey(); location.reload(); });
    parts.push(element("p", {}, forget));
  }
  const place = byId("status");
  place.replaceChildren(...parts);
  place.removeAttribute("aria-busy");
  byId("adding").hidden = false;
}

/** Shows the figures, again as long as they change. */
async function watch() {
  try {
    const state = await status();
    showStatus(state);
    if (state.indexing?.state === "running") setTimeout(watch, POLL_MS);
    return true;
  } catch (error) {
    if (error instanceof Failure && error.locked) {
      const { keyForm } = await import("./key.js");
      byId("status").replaceChildren(keyForm(error.message, begin));
      byId("status").removeAttribute("aria-busy");
      byId("key").focus();
      return false;
    }
    byId("status").replaceChildren(note("No connection", words(error)));
    setTimeout(watch, 3 * POLL_MS);
    return false;
  }
}

/** @param {unknown} error */
const words = (error) => error instanceof Error && error.message || `${error}`;

/** A line of the report; returns the cell for its fate. @param {string} name @param {string} facts */
function row(name, facts) {
  const cell = element("td", {}, "waiting to be sent");
  rows.append(element("tr", {}, element("th", { scope: "row", dir: "auto" }, name),
    element("td", { class: "number" }, facts), cell));
  byId("report").hidden = false;
  return cell;
}

/** The tasks of before, so that a page that is loaded again after uploads goes on where it was. */
async function showEarlier() {
  try {
    /** @type {{tasks: Task[]}} */
    const { tasks } = await load(`/v1/tasks?limit=${EARLIER}`);
    for (const task of tasks.filter(({ kind }) => kind === "files").reverse()) {
      const [first, ...more] = task.names ?? [];
      const rest = task.received - 1;
      const cell = row(first ?? "files", more.length || rest > 0 ? `and ${rest} more` : "");
      open += 1;
      if (isFinal(task)) finish(cell, task);
      else sent.push({ task: task.id, cell });
    }
    showSums(false);
    follow();
  } catch (error) {
    if (error instanceof Failure && error.status === 403) {
      byId("adding").replaceChildren(note("This key may search, not add documents", error.message));
    }
  }
}

/** @param {Task} task */
const isFinal = ({ status }) => status === "succeeded" || status === "failed" || status === "canceled";

/**
 * Sends one file; what becomes of it is told by its task.
 * @param {File} file
 * @param {HTMLElement} cell
 */
async function send(file, cell) {
  if (file.size > FILE_BYTES) return tell(cell, "skipped", `larger than ${size(FILE_BYTES)}; alder index reads large files`);
  cell.replaceChildren("being sent…");
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    return tell(cell, "failed", "the browser cannot read it; was it moved or changed since it was chosen?");
  }
  for (let tries = 1; ; tries += 1) {
    try {
      const body = new FormData();
      body.append("file", file);
      /** @type {Task} */
      const task = await load("/v1/files", { method: "POST", body });
      cell.replaceChildren("waiting to be read");
      sent.push({ task: task.id, cell });
      // The next file is sent while this one is read.
      void follow();
      return;
    } catch (error) {
      if (!(error instanceof Failure) || !error.wait || tries === TRIES) return tell(cell, "failed", words(error));
      await new Promise((done) => setTimeout(done, 1000 * error.wait));
    }
  }
}

/** Looks after the oldest task until all are finished; they are done in their order. */
async function follow() {
  if (following) return;
  following = true;
  while (sent.length) {
    const [{ task: id, cell }] = sent;
    try {
      /** @type {Task} */
      const task = await load(`/v1/tasks/${id}`);
      if (isFinal(task)) {
        sent.shift();
        finish(cell, task);
        showSums(true);
        watch();
        continue;
      }
      showProgress(cell, task);
    } catch (error) {
      if (!(error instanceof Failure) || !error.offline) {
        sent.shift();
        tell(cell, "failed", words(error));
        showSums(true);
        continue;
      }
      cell.replaceChildren("the server does not answer; waiting for it");
    }
    await new Promise((done) => setTimeout(done, TASK_MS));
  }
  following = false;
}

/** @param {HTMLElement} cell @param {Task} task */
function showProgress(cell, { status, progress }) {
  if (status !== "processing") return cell.replaceChildren("waiting to be read");
  const bar = element("progress", { max: "1", "aria-label": "Reading and encoding" });
  if (progress > 0) bar.setAttribute("value", `${progress}`);
  cell.replaceChildren("being read and encoded… ", bar);
}

/** What became of the file of a task. @param {HTMLElement} cell @param {Task} task */
function finish(cell, task) {
  const items = task.items ?? [];
  const stored = task.indexed + task.unchanged;
  if (task.status === "failed") return tell(cell, "failed", task.detail);
  if (task.status === "canceled") return tell(cell, "skipped", "canceled");
  if (!stored) {
    const skipped = items.every(({ status }) => status === "skipped");
    return tell(cell, skipped ? "skipped" : "failed", reasons(items) || "nothing in it could be stored");
  }
  const fate = task.indexed ? "indexed" : "unchanged";
  const parts = [];
  if (stored > 1) parts.push(count(stored, "document"));
  if (items.length) parts.push(`${task.failed} refused: ${reasons(items)}`);
  tell(cell, fate, parts.join("; "));
}

/** @param {NonNullable<Task["items"]>} items */
function reasons(items) {
  const named = items.slice(0, NAMED).map(({ detail }) => detail);
  if (items.length > NAMED) named.push(`and ${items.length - NAMED} more`);
  return named.join("; ");
}

/** @param {HTMLElement} cell @param {Fate} fate @param {string} [why] */
function tell(cell, fate, why) {
  cell.replaceChildren(element("b", { class: fate }, fate), why ? `: ${why}` : "");
  sums.set(fate, (sums.get(fate) ?? 0) + 1);
  open -= 1;
}

/** The sums, and aloud once nothing is open any more. @param {boolean} aloud */
function showSums(aloud) {
  const all = [...sums].map(([fate, number]) => `${number} ${fate}`);
  if (open) all.push(`${open} to do`);
  byId("sum").textContent = all.join(", ");
  byId("ready").hidden = open > 0 || !(sums.get("indexed") || sums.get("unchanged"));
  if (aloud && !open) byId("said").textContent = all.join(", ");
}

/** @param {Iterable<File>} chosen */
function enqueue(chosen) {
  sessionStorage.setItem("uploads", "yes");
  for (const file of chosen) {
    const cell = row(file.name, size(file.size));
    open += 1;
    sending = sending.then(() => send(file, cell)).then(() => showSums(true));
  }
  showSums(false);
}

/** Folders have no bytes to send. @param {DataTransfer} dropped */
function enqueueDropped(dropped) {
  const items = [...dropped.items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const plain = items.flatMap(({ entry, file }) => file && !entry?.isDirectory ? [file] : []);
  for (const { entry } of items) {
    if (!entry?.isDirectory) continue;
    open += 1;
    tell(row(entry.name, ""), "skipped", "a folder; choose its files, or index it with alder index PATH");
  }
  enqueue(plain);
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
drop.addEventListener("drop", (event) => { if (event.dataTransfer) enqueueDropped(event.dataTransfer); });

/** Everything, as far as the key allows. */
async function begin() {
  if (await watch() && sessionStorage.getItem("uploads")) showEarlier();
}

begin();
