// What the pages do beyond what a browser does: keys, tables behind charts, times where the reader is.
// Nothing here writes markup: what the server escaped stays as it is.
import "./chart.js";

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

document.documentElement.classList.add("scripted");

/** A moment in UTC, shown in the reader's own time. */
class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = $("time", this);
    if (!time || this.dataset.done) return;
    const at = new Date(time.dateTime);
    const long = this.hasAttribute("long");
    const today = Date.now() - at < 20 * 3600e3;
    const day = { day: "2-digit", month: "short" };
    const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const form = long ? { ...day, year: "numeric", ...clock, second: "2-digit" } : today ? { ...clock, second: "2-digit" } : { ...day, ...clock };
    time.textContent = new Intl.DateTimeFormat("en-GB", form).format(at).replace(",", "");
    this.dataset.done = "1";
  }
}
customElements.define("local-time", LocalTime);

// Charts and their tables
function tables(shown) {
  for (const chart of all("[data-chart]")) {
    $("[data-drawn]", chart)?.toggleAttribute("hidden", shown);
    $("[data-twin]", chart)?.toggleAttribute("hidden", !shown);
    $("[data-tables]", chart)?.setAttribute("aria-pressed", String(shown));
  }
  const url = new URL(location);
  shown ? url.searchParams.set("tables", "1") : url.searchParams.delete("tables");
  history.replaceState(history.state, "", url);
}
const tablesShown = () => new URL(location).searchParams.has("tables");
if (tablesShown()) tables(true);

// Rows
const links = () => all("[data-rows] a[href]");
function step(by) {
  const rows = links();
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.closest("tr")?.scrollIntoView({ block: "nearest" });
}

// A row goes to a dataset, and one stays where one is.
async function pick() {
  const form = $("form[data-pick]");
  if (!form?.reportValidity()) return;
  const link = $("a[href]", document.activeElement?.closest("[data-rows] tr") ?? form);
  const told = $("[data-picked]", form);
  if (!link) return (told.textContent = "Go to a row first: j.");
  const to = $("input[name=dataset]", form).value;
  const answer = await fetch(`${link.pathname}/dataset`, {
    method: "POST",
    headers: { accept: "application/json" },
    body: new URLSearchParams({ dataset: to }),
  });
  const came = await answer.json();
  told.textContent = answer.ok ? `Kept: in the next version of ${to}.` : came.error.message;
  const url = new URL(location);
  url.searchParams.set("dataset", to);
  history.replaceState(history.state, "", url);
  all("form.filter [name=dataset]").forEach((field) => (field.value = to));
}
$("form[data-pick]")?.addEventListener("submit", (event) => (event.preventDefault(), pick()));

const keys = {
  d: pick,
  j: () => step(1),
  k: () => step(-1),
  t: () => tables(!tablesShown()),
  u: () => $("[data-up]")?.click(),
  "?": () => $("#keys")?.showModal(),
  "/": () => $("[data-filter]")?.select(),
};
document.addEventListener("keydown", (event) => {
  const writing = event.target.closest?.("input, select, textarea, dialog");
  if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
  // Arrows move what is scrolled, where that is what one is in.
  if (event.key.startsWith("Arrow") && event.target.closest?.("[tabindex='0']")) return;
  // A page's own keys are said by its buttons and links: <button data-key="1">.
  const own = $(`[data-key="${CSS.escape(event.key)}"]:not(:disabled)`);
  if (!own && !Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  own ? own.click() : keys[event.key]();
});

// What is pressed twice before the next page is there was meant once.
let sent = false;
for (const form of all("form[data-once]"))
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
addEventListener("pageshow", () => (sent = false));

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (!button) return;
  if (button.dataset.opens) document.getElementById(button.dataset.opens)?.showModal();
  if ("tables" in button.dataset) tables(!tablesShown());
  if ("copies" in button.dataset) copy(button);
});
async function copy(button) {
  await navigator.clipboard?.writeText($("code", button.parentElement).textContent);
  button.textContent = "Copied";
}

// A filter applies as soon as it is chosen, and leaves what is empty out of the address.
for (const form of all("form.filter")) {
  form.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("submit", () => all("input, select", form).forEach((field) => (field.disabled = !field.value)));
}
addEventListener("pageshow", () => all("form.filter :disabled").forEach((field) => (field.disabled = false)));

// The live tail: how many came is told, and the page does not grow for ever.
const told = $("[data-told]");
const rows = $("[data-rows]");
if (rows && told?.textContent.trim()) {
  let came = 0;
  new MutationObserver((changes) => {
    came += changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.classList?.contains("fresh")).length;
    told.textContent = came ? `${came} new since the page was opened.` : "Waiting for requests.";
    all("tr[data-n]", rows).slice(500).forEach((row) => row.remove());
  }).observe(rows, { childList: true });
}
