// What makes the page quick: checks while one types, keys, and a word when the draft was changed elsewhere.
// Without it everything works by its forms and links.
"use strict";

const form = document.getElementById("draft");
const field = document.getElementById("text"); // null where the text cannot be edited here
const editor = document.getElementById("editor");
const meanwhile = document.getElementById("meanwhile");
const PAUSE_MS = 250;
const LOOK_MS = 5000;

// The text and the facts behind it belong together

function light(link, on) {
  const said = document.getElementById(link.hash.slice(1));
  if (!said) return;
  said.classList.toggle("lit", on);
  const closed = on && said.closest("details:not([open])");
  if (on && !closed) said.scrollIntoView({ block: "nearest" });
}

for (const [event, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(event, ({ target }) => {
    const link = target.closest("#checked-text a");
    if (link) light(link, on);
  });
}

document.addEventListener("click", ({ target }) => {
  const link = target.closest("a[href^='#']");
  const closed = link && document.getElementById(link.hash.slice(1))?.closest("details:not([open])");
  if (closed) closed.open = true; // before the browser goes there
});

// The check while one types

let asked = null;
let pause = 0;

const isEdited = () => field !== null && field.value !== field.dataset.saved;
const approve = document.querySelector(".approve");
const tell = (said) => { document.getElementById("told").textContent = said; };

async function check() {
  asked?.abort();
  asked = new AbortController();
  const accepted = [...document.querySelectorAll("[name=accept]:checked")].map((box) => box.value);
  try {
    const answer = await fetch(form.dataset.check, {
      method: "POST", body: new URLSearchParams(new FormData(form)), signal: asked.signal,
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) return tell(`not saved; ${page.querySelector("[role=alert]")?.textContent ?? "not checked"}`);
    for (const id of ["checked-text", "checked-facts"]) {
      document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
    }
    for (const box of document.querySelectorAll("[name=accept]")) box.checked = accepted.includes(box.value);
    tell(isEdited() ? "not saved; checked as you typed it" : "");
    if (approve) approve.firstChild.data = isEdited() ? "Save this text first " : "Approve exactly this text ";
  } catch (error) {
    if (error.name !== "AbortError") tell("not saved; curator serve does not answer. Your text stays here");
  }
}

field?.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(check, PAUSE_MS);
});
if (isEdited()) check();

// A form that is sent takes the text along and the page away: it is sent only where it will be taken.

let leaving = false;

form.addEventListener("submit", async (event) => {
  if (leaving) return;
  event.preventDefault();
  try {
    const answer = await fetch(form.dataset.state);
    if (answer.status === 403) return tell("not sent; curator serve was started anew: open the address it printed then. Your text stays here");
  } catch {
    return tell("not sent; curator serve does not answer. Your text stays here");
  }
  leaving = true;
  form.requestSubmit(event.submitter);
});

addEventListener("beforeunload", (event) => { if (isEdited() && !leaving) event.preventDefault(); });

// What happened elsewhere

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(form.dataset.state);
    if (!answer.ok) return;
    const { sha256, status, edited_by: by } = await answer.json();
    const isSame = sha256 === form.elements.sha256.value && status === form.elements.status.value;
    meanwhile.querySelector("span").textContent = isSame ? "" : ` (${status}${by ? `, edited by ${by}` : ""})`;
    meanwhile.hidden = isSame;
  } catch { /* the program has ended; whoever saves or checks is told */ }
}

setInterval(look, LOOK_MS);
document.addEventListener("visibilitychange", look);

// Keys. They go to a button and never press it: nobody approves by a slip.

let finding = -1;
const KEYS = {
  n: () => document.querySelector("[rel=next]")?.click(),
  p: () => document.querySelector("[rel=prev]")?.click(),
  a: () => approve?.focus(),
  r: () => document.getElementById("why")?.focus(),
  e: () => { if (editor) { editor.open = true; field.focus(); } },
  f: () => {
    const all = document.querySelectorAll(".findings > li");
    if (all.length) location.hash = all[(finding = (finding + 1) % all.length)].id;
  },
};

document.addEventListener("keydown", (event) => {
  if (event.key === "s" && (event.ctrlKey || event.metaKey) && field) {
    event.preventDefault();
    form.querySelector("[value=save]").click();
  } else if (event.key === "Escape") {
    document.activeElement?.blur();
  } else if (!event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea")) {
    const act = KEYS[event.key];
    if (act) { event.preventDefault(); act(); }
  }
});
