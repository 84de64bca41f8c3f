// The search page: the URL says what is asked (`?q=`), this file shows it. Only the newest question is
// answered; an older one that is still under way is dropped.

import { ask, status } from "./client.js";
import { count, element } from "./dom.js";
import { answerCard, hitList, timingLine } from "./results.js";

const main = document.getElementById("main");
const form = document.getElementById("search");
const input = document.getElementById("q");
const said = document.getElementById("said");
const collection = document.getElementById("collection");

const POLL_MS = 1500;
/** A wait shorter than this is not mentioned. */
const PATIENCE_MS = 250;
let underWay = new AbortController();
/** What the last look at /v1/status told, or null. */
let state = null;

function show(...nodes) {
  main.replaceChildren(...nodes.filter((node) => node !== null));
  main.removeAttribute("aria-busy");
}

function note(title, ...lines) {
  const paragraphs = lines.map((line) => element("p", {}, line));
  return element("section", { class: "note" }, element("h2", {}, title), ...paragraphs);
}

function showStart() {
  document.title = "Alder";
  if (state && state.collection.documents === 0 && state.indexing.state !== "running") {
    show(note("Nothing is indexed yet", "Stop the server and start it with a folder: alder serve ~/notes"));
    return;
  }
  show(element("p", { class: "lead" },
    "Ask a question in your own words. Alder answers with a sentence from your documents, word for word, and says where it stands. If they do not say, it tells you so."));
}

async function showQuestion(question) {
  underWay.abort();
  const mine = new AbortController();
  underWay = mine;
  input.value = question;
  if (!question.trim()) return showStart();
  document.title = `${question} · Alder`;
  main.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => {
    said.textContent = "Searching…";
    if (!main.querySelector(".hits")) show(element("p", { class: "lead" }, "Searching…"));
    main.setAttribute("aria-busy", "true");
  }, PATIENCE_MS);
  try {
    showReply(await ask(question, mine.signal));
  } catch (error) {
    if (error.name === "AbortError") return;
    said.textContent = error.message;
    show(note("That did not work", error.message));
  } finally {
    clearTimeout(slow);
  }
}

function showReply(reply) {
  const indexing = state && state.indexing.state === "running";
  if (!reply.hits.length) {
    said.textContent = "No results.";
    const advice = indexing
      ? "Documents are still being indexed; what you look for may not be there yet."
      : "Try fewer or other words, or check the spelling.";
    show(note("Nothing found", advice), timingLine(reply));
    return;
  }
  const notes = reply.notes.map((line) => element("p", { class: "aside" }, line));
  show(answerCard(reply), ...notes, hitList(reply), timingLine(reply));
  const confident = reply.verdict && reply.verdict.confident;
  const answer = confident
    ? `Answer: ${reply.answers[0].text}, ${reply.answers[0].confidence}.`
    : reply.verdict ? "The documents do not say." : "";
  said.textContent = `${answer} ${count(reply.hits.length, "passage")}.`.trim();
}

function showCollection() {
  const { collection: holds, indexing, model } = state;
  const nodes = [];
  if (indexing.state === "running") {
    const { bytes_done: done, bytes_total: total, documents } = indexing;
    nodes.push(
      element("progress", { max: String(Math.max(total, 1)), value: String(done), "aria-label": "Indexing" }),
      element("p", {}, `Indexing: ${count(documents, "document")}, ${Math.floor(100 * done / Math.max(total, 1))} % of the files. What is done can be searched already.`),
    );
  } else if (indexing.state === "failed") {
    nodes.push(element("p", { class: "fault" }, `Indexing ended early: ${indexing.detail}`));
  }
  nodes.push(element("p", {}, `${count(holds.documents, "document")} · ${count(holds.passages, "passage")} · ${model.name}`));
  collection.replaceChildren(...nodes);
}

async function watchCollection() {
  try {
    const before = state;
    state = await status();
    showCollection();
    const finished = before && before.indexing.state === "running" && state.indexing.state !== "running";
    const question = new URLSearchParams(location.search).get("q");
    if (!question && (!before || finished)) showStart();
    if (state.indexing.state === "running") setTimeout(watchCollection, POLL_MS);
  } catch (error) {
    collection.replaceChildren(element("p", { class: "fault" }, error.message));
    setTimeout(watchCollection, 4 * POLL_MS);
  }
}

const asked = () => new URLSearchParams(location.search).get("q") || "";

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = input.value.trim();
  const url = question ? `/?${new URLSearchParams({ q: question })}` : "/";
  if (question !== asked()) history.pushState(null, "", url);
  showQuestion(question);
});

window.addEventListener("popstate", () => showQuestion(asked()));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target === input;
  if (event.key === "/" && !typing) {
    event.preventDefault();
    input.focus();
    input.select();
  } else if (event.key === "Escape" && typing) {
    input.value = "";
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const stops = [input, ...main.querySelectorAll("a.stop")];
    const here = stops.indexOf(document.activeElement);
    const next = stops[here + (event.key === "ArrowDown" ? 1 : -1)];
    if (here >= 0 && next) {
      event.preventDefault();
      next.focus();
    }
  }
});

watchCollection();
if (asked()) showQuestion(asked());
else input.focus();
