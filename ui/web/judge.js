// The buttons "right" and "wrong", "relevant" and "not": sends what was pressed and says that it was noted. Loaded
// when one is pressed first.

import { judge } from "./client.js";
import { judged } from "./results.js";

/** Sends what `button` says. @param {HTMLButtonElement} button */
export async function send(button) {
  const group = /** @type {HTMLElement} */ (button.closest(".judge"));
  const subject = group.dataset.subject ?? "{}";
  const said = /** @type {HTMLElement} */ (group.querySelector("[role=status]"));
  const yes = button.value === "yes";
  const what = JSON.parse(subject);
  try {
    await judge("answer" in what ? { ...what, right: yes } : { ...what, relevance: yes ? 1 : 0 });
    judged.set(subject, button.value);
    for (const each of group.querySelectorAll("button")) each.setAttribute("aria-pressed", `${each === button}`);
    said.textContent = "Noted";
    setTimeout(() => { said.textContent = ""; }, 2500);
  } catch (error) {
    said.textContent = error instanceof Error && error.message || "Not noted: a key is needed";
  }
}
