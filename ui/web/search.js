// The search page. The address says what is asked (`?q=`, `mode`, `offset`); this file shows it. Typing shows
// passages at once; Enter has them read for an answer. Only the newest question is answered; an older one that
// is still under way is dropped.

import { Failure, ask, hasKey, keepKey, path, search, status } from "./client.js";
import { count, element, note, share } from "./dom.js";
import { answerCard, choices, hitList, narrowed, otherAnswers, pages, reading, timings } from "./results.js";

/** @typedef {import("../types").Asked} Asked */
/** @typedef {import("../types").Reply} Reply */
/** @typedef {import("../types").Status} Status */

/** Fields that are offered for narrowing: at most so many, with so many values each. */
const FACETS = { most: 4, values: 40 };

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const main = byId("main");
const form = /** @type {HTMLFormElement} */ (byId("search"));
const input = /** @type {HTMLInputElement} */ (byId("q"));
const said = byId("said");
const collection = byId("collection");

const POLL_MS = 1500;
/** Typing has stopped when no key came for this long. */
const TYPED_MS = 90;
/** Who listens is told of the passages when no key came for this long. */
const SPOKEN_MS = 900;
/** A wait shorter than this is not mentioned. */
const PATIENCE_MS = 250;

let underWay = new AbortController();
/** @type {ReturnType<typeof setTimeout>} */ let typed;
/** @type {ReturnType<typeof setTimeout>} */ let again;
/** @type {ReturnType<typeof setTimeout>} */ let spoken;
/** What the last look at /v1/status told. @type {Status | null} */ let state = null;
/** Done when /v1/status has told something. @type {Promise<void>} */ let looked = Promise.resolve();
/** The question whose passages are on the page. @type {string | null} */ let shown = null;

/** What the address asks. @returns {Asked} */
function asked() {
  const query = new URLSearchParams(location.search);
  const mode = query.get("mode") ?? "hybrid";
  const offset = Math.floor(Number(query.get("offset")));
  return {
    q: (query.get("q") ?? "").trim(),
    mode: mode === "lexical" || mode === "dense" ? mode : "hybrid",
    offset: offset > 0 ? offset : 0,
    filter: (query.get("filter") ?? "").trim(),
  };
}

/** The address that asks it. @param {Asked} what */
function url({ q, mode, offset, filter }) {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (mode !== "hybrid") query.set("mode", mode);
  if (filter && q) query.set("filter", filter);
  if (offset) query.set("offset", `${offset}`);
  return query.size ? `/?${query}` : "/";
}

/** What stands in the form, narrowed as before. @returns {Asked} */
function written() {
  const mode = new FormData(form).get("mode");
  return { q: input.value.trim(), mode: mode === "lexical" || mode === "dense" ? mode : "hybrid", offset: 0, filter: asked().filter };
}

/** @param {...(Node | null)} nodes */
function show(...nodes) {
  main.replaceChildren(...nodes.filter((node) => node !== null));
  main.removeAttribute("aria-busy");
}

/** Tells those who listen, after `wait` milliseconds without other news. @param {string} words @param {number} [wait] */
function say(words, wait = 0) {
  clearTimeout(spoken);
  spoken = setTimeout(() => { said.textContent = words; }, wait);
}

function showStart() {
  document.title = "Alder";
  document.body.className = "home";
  shown = null;
  if (state && state.collection.documents === 0 && state.indexing?.state !== "running") {
    show(note("Nothing is indexed yet", element("p", {}, "Drop files on the ",
      element("a", { href: "/collection" }, "collection page"), ", or start the server with a folder: ",
      element("code", {}, "alder serve ~/notes"))));
    return;
  }
  show();
  const questions = remembered();
  if (questions.length) showRecent(questions);
}

/** What was asked before, to ask it again. @param {string[]} questions */
async function showRecent(questions) {
  const { recent } = await import("./recent.js");
  if (asked().q || main.children.length) return;
  show(recent(questions, (q) => url({ q, mode: "hybrid", offset: 0, filter: "" }), () => {
    localStorage.removeItem("asked");
    showStart();
    input.focus();
  }));
}

/** Questions asked in this browser, newest first. @returns {string[]} */
function remembered() {
  try {
    return JSON.parse(localStorage.getItem("asked") ?? "[]");
  } catch {
    return [];
  }
}

/** @param {string} question */
function remember(question) {
  const all = [question, ...remembered().filter((other) => other !== question)];
  try {
    localStorage.setItem("asked", JSON.stringify(all.slice(0, 6)));
  } catch {
    // A browser that keeps nothing remembers nothing.
  }
}

/**
 * Shows `what`: its passages, then, when `whole`, what was read in them.
 * @param {Asked} what
 * @param {boolean} whole
 */
async function run(what, whole) {
  clearTimeout(typed);
  clearTimeout(again);
  clearTimeout(spoken);
  underWay.abort();
  const { signal } = (underWay = new AbortController());
  showFilters(what);
  if (!what.q) return showStart();
  document.title = `${what.q} · Alder`;
  document.body.className = "asked";
  sessionStorage.setItem("results", url(what));
  main.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => say(whole ? "Reading…" : "Searching…"), PATIENCE_MS);
  try {
    if (!whole || what.offset === 0 && shown !== path(what, "search")) {
      const found = await search(what, !whole, signal);
      showPassages(found, what, whole);
      if (!found.hits.length) return;
    } else if (what.offset === 0) {
      main.querySelector(".prompt")?.replaceWith(reading());
    }
    if (whole) showAnswer(await ask(what, await facets(), signal), what);
  } catch (error) {
    if (!signal.aborted) showFault(error, what, whole);
  } finally {
    clearTimeout(slow);
  }
}

/** What the list is narrowed to, below the box. @param {Asked} what */
function showFilters(what) {
  byId("filters").replaceChildren(...(what.q && what.filter ? [narrowed(what, url)] : []));
}

/** The fields that are worth narrowing by: a choice of few values. */
async function facets() {
  await looked;
  const fields = (state?.collection.fields ?? []).filter(({ name, values, complete }) =>
    complete && values > 1 && values <= FACETS.values && name !== "page" && !name.includes(","));
  return fields.slice(0, FACETS.most).map(({ name }) => name);
}

/**
 * The passages before they are read.
 * @param {Reply} reply
 * @param {Asked} what
 * @param {boolean} whole
 */
function showPassages(reply, what, whole) {
  shown = path(what, "search");
  if (!reply.hits.length) return showNothing(reply, what);
  const first = whole ? reading() : element("p", { class: "prompt" },
    element("button", { type: "submit", form: "search", class: "quiet" },
      "Read these for an answer ", element("kbd", {}, "Enter")));
  show(first, ...notes(reply), hitList(reply, what), whole ? null : pages(reply, what, url));
  if (whole) main.setAttribute("aria-busy", "true");
  else say(`${count(reply.hits.length, "passage")}. Enter reads them for an answer.`, SPOKEN_MS);
}

/**
 * The whole reply.
 * @param {Reply} reply
 * @param {Asked} what
 */
function showAnswer(reply, what) {
  shown = path(what, "search");
  if (!reply.hits.length) return showNothing(reply, what);
  const first = what.offset === 0;
  const focused = main.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
  show(first ? answerCard(reply) : null, first ? otherAnswers(reply) : null, ...notes(reply), choices(reply, what, url),
    hitList(reply, what), pages(reply, what, url), tools(reply, what));
  if (focused) /** @type {HTMLElement | null} */ (main.querySelector(`a[href="${CSS.escape(focused)}"]`))?.focus();
  remember(what.q);
  const best = reply.answers[0];
  const answer = !first || !reply.verdict ? ""
    : reply.verdict.confident && best ? `Answer: ${best.text}, ${best.confidence}. ` : "The documents do not say. ";
  say(`${answer}${count(reply.hits.length, "passage")}.`);
}

/**
 * What the server has to say of the question, and what was probably meant by it.
 * @param {Reply} reply
 */
function notes(reply) {
  const lines = reply.notes.map((line) => element("p", { class: "aside" }, line));
  const meant = reply.did_you_mean;
  if (!meant) return lines;
  const href = url({ ...asked(), q: meant, offset: 0 });
  return [element("p", { class: "meant" }, "Did you mean ", element("a", { href, "data-go": "" }, meant), "?"), ...lines];
}

/** @param {Reply} reply @param {Asked} what */
function tools(reply, what) {
  const curl = `curl '${location.origin}${path(what, "ask").replaceAll("'", "%27")}'`;
  return element("div", { class: "tools" }, element("alder-copy", { label: "Copy link" }),
    element("alder-copy", { label: "Copy as curl", text: curl }), timings(reply));
}

/** @param {Reply} reply @param {Asked} what */
async function showNothing(reply, what) {
  const { nothing } = await import("./nothing.js");
  show(...notes(reply), nothing(what, state, url));
  say("No results.");
}

/**
 * What went wrong; passages of the same question stay below it, and what may pass by itself is tried again.
 * @param {unknown} error
 * @param {Asked} what
 * @param {boolean} whole
 */
function showFault(error, what, whole) {
  const failure = error instanceof Failure ? error : new Failure(`The page has a fault: ${error}`);
  if (failure.locked) return askForKey(failure);
  const retry = element("button", { type: "button", class: "quiet" }, "Try again");
  retry.addEventListener("click", () => run(what, whole));
  const title = failure.offline ? "No connection" : failure.wait ? "Busy" : "That did not work";
  const fault = note(title, failure.message, element("p", {}, retry));
  fault.classList.add("fault");
  const passages = shown === path(what, "search") ? /** @type {HTMLElement | null} */ (main.querySelector(".passages")) : null;
  shown = null;
  show(fault, passages);
  say(failure.message);
  const wait = failure.offline ? 3 : failure.wait;
  if (wait) again = setTimeout(() => run(what, whole), 1000 * wait);
}

/** Has the key asked for where the results would be. @param {Failure} failure */
async function askForKey(failure) {
  const { keyForm } = await import("./key.js");
  main.removeAttribute("aria-busy");
  if (document.getElementById("key")) return;
  shown = null;
  show(keyForm(failure.message, () => {
    looked = watchCollection();
    open();
  }));
  byId("key").focus();
  say("This server asks for a key.");
}

function showCollection() {
  if (!state) return;
  const { collection: holds, indexing, model } = state;
  const nodes = [];
  if (indexing?.state === "running") {
    const { bytes_done: done, bytes_total: total, documents } = indexing;
    nodes.push(
      element("progress", { max: `${Math.max(total, 1)}`, value: `${done}`, "aria-label": "Indexing" }),
      element("p", {}, `Indexing: ${count(documents, "document")}, ${share(done, total)} of the files. ` +
        "What is done can be searched already."));
  } else if (indexing?.state === "failed") {
    nodes.push(element("p", { class: "wrong" }, `Indexing ended early: ${indexing.detail}`));
  }
  nodes.push(element("p", {}, element("a", { href: "/collection" }, count(holds.documents, "document")),
    ` · ${count(holds.passages, "passage")} · ${model.name}`));
  if (hasKey()) {
    const forget = element("button", { type: "button", class: "quiet" }, "Forget the key");
    forget.addEventListener("click", () => { keepKey(); location.reload(); });
    nodes.push(element("p", {}, forget));
  }
  collection.replaceChildren(...nodes);
}

async function watchCollection() {
  try {
    const before = state?.indexing?.state;
    state = await status();
    showCollection();
    if (!asked().q && before !== state.indexing?.state && !input.value) showStart();
    if (state.indexing?.state === "running") setTimeout(watchCollection, POLL_MS);
  } catch (error) {
    if (error instanceof Failure && error.locked) return askForKey(error);
    collection.replaceChildren(element("p", { class: "wrong" }, error instanceof Error ? error.message : `${error}`));
    setTimeout(watchCollection, 4 * POLL_MS);
  }
}

/** Shows what the address asks; an entry made by typing is not read. */
function open() {
  const what = asked();
  input.value = what.q;
  for (const radio of form.elements) {
    if (radio instanceof HTMLInputElement && radio.name === "mode") radio.checked = radio.value === what.mode;
  }
  run(what, !history.state?.typed);
}

/** Makes `what` the address: a new entry, unless typing goes on. @param {Asked} what @param {boolean} whole */
function go(what, whole) {
  const typing = !whole && history.state?.typed;
  const same = url(what) === location.pathname + location.search;
  history[same || typing ? "replaceState" : "pushState"](whole ? null : { typed: true }, "", url(what));
  run(what, whole);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begun = false;
  go(written(), true);
});

let suggesting = false;
/** Whether what stands in the box was not asked yet. */
let begun = false;
input.addEventListener("input", async () => {
  clearTimeout(typed);
  typed = setTimeout(() => { if (written().q !== asked().q) go(written(), false); }, TYPED_MS);
  begun = true;
  if (suggesting) return;
  suggesting = true;
  (await import("./suggest.js")).attach(input, () => begun);
});

form.addEventListener("change", (event) => {
  if (event.target !== input && written().q) go(written(), true);
});

window.addEventListener("popstate", open);

document.addEventListener("click", async (event) => {
  const pressed = event.target instanceof Element ? event.target.closest(".judge button") : null;
  if (pressed instanceof HTMLButtonElement) return (await import("./judge.js")).send(pressed);
  const link = event.target instanceof Element ? event.target.closest("a[data-go]") : null;
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  open();
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
});

byId("keys").hidden = false;
const help = async () => (await import("./help.js")).showHelp();
byId("keys").addEventListener("click", help);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target === input;
  const here = document.activeElement;
  if (event.key === "/" && !typing) {
    event.preventDefault();
    input.focus();
    input.select();
  } else if (event.key === "?" && !typing) {
    help();
  } else if (event.key === "Escape") {
    if (!typing) return input.focus();
    clearTimeout(typed);
    input.value = "";
    if (asked().q) go({ ...written(), q: "" }, true);
  } else if (event.key === "w" && !typing) {
    here?.closest("li, .hits li")?.querySelector("summary")?.click();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const stops = /** @type {HTMLElement[]} */ (
      [input, ...main.querySelectorAll("a.stop")].filter((stop) => stop.checkVisibility()));
    const at = stops.indexOf(/** @type {HTMLElement} */ (here));
    const next = stops[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  }
});

if (location.pathname !== "/") history.replaceState(null, "", url(asked()));
looked = watchCollection();
open();
if (!asked().q) input.focus();
