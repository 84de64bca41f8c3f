// What the document page can do more with scripts: go from match to match, back to the results, copy the link.

import { element } from "./dom.js";

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
if (document.getElementById("locked") && location.pathname === "/document") await (await import("./locked.js")).unlock(byId("main"));
const marks = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".document mark")]);
const place = element("span", { class: "id" });
const target = document.getElementById("said") ?? document.getElementById("passage");
let at = Math.max(0, marks.findIndex((mark) => mark === target || target?.contains(mark)));

/** Makes the match `to` the one that is looked at. @param {number} to */
function go(to) {
  marks[at].classList.remove("here");
  at = (to + marks.length) % marks.length;
  const mark = marks[at];
  mark.classList.add("here");
  mark.tabIndex = -1;
  mark.focus({ preventScroll: true });
  mark.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  tell();
  byId("spoken").textContent = `Match ${at + 1} of ${marks.length}: ${mark.textContent}`;
}

function tell() {
  place.textContent = `${at + 1} of ${marks.length}`;
}

/** @param {string} label @param {string} sign @param {number} step */
function stepper(label, sign, step) {
  const button = element("button", { type: "button", class: "quiet", "aria-label": label, title: label }, sign);
  button.addEventListener("click", () => go(at + step));
  return button;
}

if (marks.length) {
  tell();
  byId("tools").append(element("span", { class: "steps" },
    stepper("Previous match (p)", "↑", -1), place, stepper("Next match (n)", "↓", 1)));
}
if (location.hash) target?.focus({ preventScroll: true });
if (document.querySelector(".document")) document.querySelector(".source")?.append(element("alder-copy", { label: "Copy link" }));

// The results may be those of another page or way of searching than the question alone would give.
const back = /** @type {HTMLAnchorElement} */ (byId("back"));
const from = sessionStorage.getItem("results");
const question = (/** @type {string} */ url) => new URL(url, location.origin).searchParams.get("q") ?? "";
const known = from !== null && question(from) === question(location.href);
if (known) back.href = from;
back.addEventListener("click", (event) => {
  if (!known || history.length === 1) return;
  event.preventDefault();
  history.back();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "n" && marks.length) go(at + 1);
  else if (event.key === "p" && marks.length) go(at - 1);
  else if (event.key === "Escape") back.click();
  else if (event.key === "/") {
    event.preventDefault();
    location.assign("/");
  }
});
