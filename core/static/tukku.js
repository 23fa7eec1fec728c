// Progressive enhancement for both faces. Every page works without this file; nothing here is inline and
// nothing here decides: numbers shown as they are typed are checked again by the server.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (type, selector, handler) =>
  document.addEventListener(type, (event) => {
    const target = event.target instanceof Element ? event.target.closest(selector) : null;
    if (target) handler(event, target);
  });
const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name] ?? "");

/* ---- Numbers in the page's locale, exact: counted in millionths, never as floats ---- */
const PARTS = new Intl.NumberFormat(document.documentElement.lang || "en").formatToParts(1234567.5);
const DECIMAL = PARTS.find((part) => part.type === "decimal").value;
const GROUP = PARTS.find((part) => part.type === "group")?.value ?? " ";

// The rule of core/i18n/numbers.py. Null where the server would ask back: the field then stays as it was typed.
function plainDigits(text) {
  const spaced = /^\d{1,3}([ \u00a0\u202f\u2009'’])\d{3}(?:\1\d{3})*(?:[.,]\d+)?$/.exec(text);
  if (spaced) return text.replaceAll(spaced[1], "").replace(",", ".");
  const used = [".", ","].filter((mark) => text.includes(mark));
  const inGroups = (whole, mark) => new RegExp(`^\\d{1,3}(\\${mark}\\d{3})+$`).test(whole);
  if (!used.length) return text;
  if (used.length === 2) {
    const at = Math.max(text.lastIndexOf("."), text.lastIndexOf(","));
    const group = text[at] === "." ? "," : ".";
    return inGroups(text.slice(0, at), group) ? `${text.slice(0, at).replaceAll(group, "")}.${text.slice(at + 1)}` : "";
  }
  const mark = used[0];
  if (text.indexOf(mark) !== text.lastIndexOf(mark)) return inGroups(text, mark) ? text.replaceAll(mark, "") : "";
  if (mark !== DECIMAL && inGroups(text, mark) && text[0] !== "0") return mark === GROUP ? text.replace(mark, "") : "";
  return text.replace(mark, ".");
}
function toMillionths(text) {
  const match = /^(\d{1,12})(?:\.(\d{1,6}))?$/.exec(plainDigits(text.trim()));
  return match && BigInt(match[1]) * 1000000n + BigInt((match[2] || "").padEnd(6, "0"));
}

function fromMillionths(value) {
  const rest = String(value % 1000000n).padStart(6, "0").replace(/0+$/, "");
  return String(value / 1000000n) + (rest ? DECIMAL + rest : "");
}

const limit = (box, name) => (box.dataset[name] ? toMillionths(box.dataset[name].replace(".", DECIMAL)) : null);

/* ---- Quantity stepper: knows minimum, step and maximum, says what it rounded ---- */
function allowed(box, value) {
  const minimum = limit(box, "min") ?? 0n;
  const step = limit(box, "step") ?? 0n;
  const maximum = limit(box, "max");
  if (value < minimum) return minimum;
  if (maximum !== null && value > maximum) return maximum;
  const over = step > 0n ? (value - minimum) % step : 0n;
  return over ? value - over + step : value;
}

function settle(box, value, { announce = true } = {}) {
  const input = $("input", box);
  const note = box.parentElement.querySelector(".tk-quantity-note");
  const fixed = allowed(box, value);
  const changed = fixed !== value;
  const before = input.value;
  input.value = fromMillionths(fixed);
  if (note && announce) {
    note.dataset.rest ??= note.textContent;
    note.textContent = changed ? fill(box.dataset.rounded || "", { value: input.value }) : note.dataset.rest;
    note.classList.toggle("is-changed", changed);
  }
  if (input.value !== before) input.dispatchEvent(new Event("input", { bubbles: true }));
}

on("click", "[data-stepper] button", (event, button) => {
  const box = button.closest("[data-stepper]");
  const input = $("input", box);
  const step = limit(box, "step") || 1000000n;
  const now = toMillionths(input.value) ?? 0n;
  const next = button.hasAttribute("data-up") ? now + step : now - step;
  settle(box, next < 0n ? 0n : next);
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
document.addEventListener("change", (event) => {
  const box = event.target.closest?.("[data-stepper]");
  const value = box && toMillionths(event.target.value);
  if (box && value !== null) settle(box, value);
}, true);
on("keydown", "[data-stepper] input", (event, input) => {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  event.preventDefault();
  $(event.key === "ArrowUp" ? "[data-up]" : "[data-down]", input.closest("[data-stepper]")).click();
});

/* ---- Theme: a cookie, so that the server draws the right one at once ---- */
on("click", "[data-theme-set]", (event, button) => {
  const theme = button.dataset.themeSet;
  const root = document.documentElement;
  if (theme === "auto") root.removeAttribute("data-bs-theme");
  else root.setAttribute("data-bs-theme", theme);
  document.cookie = `theme=${theme}; path=/; max-age=${theme === "auto" ? 0 : 31536000}; samesite=lax`;
  markTheme();
});
function markTheme() {
  const now = document.documentElement.getAttribute("data-bs-theme") || "auto";
  for (const button of $$("[data-theme-set]")) button.setAttribute("aria-pressed", String(button.dataset.themeSet === now));
}

/* ---- Menus (<details>): one open at a time, Escape and a click outside close ---- */
document.addEventListener("click", (event) => {
  for (const menu of $$("details.tk-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.tk-menu[open]");
  if (menu) { menu.open = false; $("summary", menu).focus(); }
  const suggest = $(".tk-suggest");
  if (suggest) suggest.replaceChildren();
  closeSide();
});
on("keydown", ".tk-menu-list, details.tk-menu > summary, .tk-suggest, .tk-search input", (event, box) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const root = box.closest(".tk-menu, .tk-search");
  const items = $$(".tk-menu-list a, .tk-menu-list button, .tk-suggest a", root);
  if (!items.length) return;
  event.preventDefault();
  const at = items.indexOf(document.activeElement);
  items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length].focus();
});

/* ---- Side bar on a phone ---- */
const side = $("#tk-side");
function closeSide() {
  if (!side?.classList.contains("is-open")) return;
  side.classList.remove("is-open");
  $(".tk-office-main")?.removeAttribute("inert");
  $("[data-side-open]")?.focus();
}
on("click", "[data-side-open]", (event) => {
  event.preventDefault();
  side.classList.add("is-open");
  $(".tk-office-main")?.setAttribute("inert", "");
  $("a, button", side)?.focus();
});
on("click", "[data-side-close], .tk-scrim", (event) => { event.preventDefault(); closeSide(); });

/* ---- Selection in lists: all, some, a bar with the count ---- */
function countSelection(form) {
  const boxes = $$('input[type="checkbox"][data-select]', form);
  const chosen = boxes.filter((box) => box.checked);
  const all = $("[data-select-all]", form);
  if (all) { all.checked = chosen.length === boxes.length && boxes.length > 0; all.indeterminate = chosen.length > 0 && !all.checked; }
  for (const box of boxes) box.closest("tr")?.classList.toggle("is-selected", box.checked);
  const bar = $("[data-selection]", form);
  if (!bar) return;
  bar.hidden = chosen.length === 0;
  const label = $("[data-selection-count]", bar);
  if (label) label.textContent = fill(chosen.length === 1 ? label.dataset.one : label.dataset.many, { count: chosen.length });
}
let lastBox = null;
on("click", 'input[type="checkbox"][data-select]', (event, box) => {
  const form = box.closest("form");
  const boxes = $$('input[type="checkbox"][data-select]', form);
  if (event.shiftKey && lastBox && boxes.includes(lastBox)) {
    const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
  }
  lastBox = box;
  countSelection(form);
});
on("change", "[data-select-all]", (event, all) => {
  for (const box of $$('input[type="checkbox"][data-select]', all.form)) box.checked = all.checked;
  countSelection(all.form);
});
on("click", "[data-select-none]", (event, button) => {
  for (const box of $$('input[type="checkbox"][data-select]', button.form)) box.checked = false;
  countSelection(button.form);
});

/* ---- Many check boxes in groups: found by what is typed, ticked by group or for a purpose ---- */
function countChosen(root) {
  for (const group of $$("[data-choose-group]", root)) {
    const boxes = $$("[data-choose-item] input", group);
    const chosen = boxes.filter((box) => box.checked).length;
    const count = $("[data-choose-count]", group);
    count.textContent = fill(count.dataset.chooseCount, { count: chosen, all: boxes.length });
    const all = $("[data-choose-all]", group);
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
}
on("change", "[data-choose] input", (event, box) => {
  if (box.matches("[data-choose-all]")) for (const one of $$("[data-choose-item]:not([hidden]) input", box.closest("[data-choose-group]"))) one.checked = box.checked;
  countChosen(box.closest("[data-choose]"));
});
on("click", "[data-choose-only]", (event, button) => {
  const root = button.closest("[data-choose]");
  const wanted = button.dataset.chooseOnly.split(" ");
  for (const box of $$("[data-choose-item] input", root)) box.checked = wanted.includes(box.value);
  for (const group of $$("[data-choose-group]", root)) group.open = Boolean($("[data-choose-item] input:checked", group));
  countChosen(root);
});
on("input", "[data-choose-filter]", (event, field) => {
  const words = field.value.trim().toLocaleLowerCase().split(/\s+/).filter(Boolean);
  for (const group of $$("[data-choose-group]", field.closest("[data-choose]"))) {
    const title = $("summary", group).textContent;
    for (const item of $$("[data-choose-item]", group)) {
      const text = `${title} ${item.textContent} ${$("input", item).value}`.toLocaleLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
    group.hidden = !$("[data-choose-item]:not([hidden])", group);
    if (words.length) group.open = true;
  }
});

/* ---- Grids of rows: Enter goes down, paste from a spreadsheet fills cells, Ctrl-Z takes the paste back ---- */
const undo = new WeakMap();
const cells = (row) => $$("input:not([type=hidden]):not([type=checkbox]), select", row);
function addRow(grid) {
  const template = $("template[data-grid-row]", grid);
  if (!template) return null;
  const index = Number(grid.dataset.next ?? $$("tbody tr", grid).length);
  const holder = document.createElement("tbody");
  holder.innerHTML = template.innerHTML.replaceAll("__index__", String(index));
  grid.dataset.next = String(index + 1);
  const row = holder.firstElementChild;
  $("tbody", grid).append(row);
  return row;
}
function paste(grid, start, table) {
  const rows = () => $$("tbody tr:not(.tk-grid-say)", grid);
  const first = rows().indexOf(start.closest("tr"));
  const column = cells(start.closest("tr")).indexOf(start);
  const before = [];
  table.forEach((values, down) => {
    const row = rows()[first + down] ?? addRow(grid);
    if (!row) return;
    values.forEach((value, right) => {
      const cell = cells(row)[column + right];
      if (!cell || cell.readOnly) return;
      before.push([cell, cell.value]);
      cell.value = value.trim();
      cell.dispatchEvent(new Event("change", { bubbles: true }));
    });
  });
  undo.set(grid, before);
}
on("paste", "[data-grid] input", (event, input) => {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!/[\t\n]/.test(text.trimEnd())) return;
  event.preventDefault();
  paste(input.closest("[data-grid]"), input, text.replace(/\r/g, "").replace(/\n+$/, "").split("\n").map((line) => line.split("\t")));
});
on("keydown", "[data-grid] input, [data-grid] select", (event, input) => {
  const grid = input.closest("[data-grid]");
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && undo.has(grid)) {
    event.preventDefault();
    for (const [cell, value] of undo.get(grid)) cell.value = value;
    undo.delete(grid);
  }
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const row = input.closest("tr");
  let next = row.nextElementSibling;
  if (next?.matches(".tk-grid-say")) next = next.nextElementSibling;
  next ??= addRow(grid);
  if (next) cells(next)[cells(row).indexOf(input)]?.focus();
});
on("click", "[data-grid-add]", (event, button) => {
  const row = addRow($(button.dataset.gridAdd || "[data-grid]"));
  if (row) cells(row)[0]?.focus();
});
on("click", "[data-grid-remove]", (event, button) => {
  const grid = button.closest("[data-grid]");
  button.closest("tr").remove();
  if (!$$("tbody tr", grid).length) addRow(grid);
});

/* ---- Dates: text ("in 2 weeks") with a calendar beside it ---- */
on("click", "[data-calendar]", (event, button) => {
  const picker = $('input[type="date"]', button.parentElement);
  picker.showPicker?.();
});
on("change", '.tk-date input[type="date"]', (event, picker) => {
  const field = $("input:not([type=date])", picker.parentElement);
  field.value = picker.value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
});

/* ---- A form that met an ended session: what was typed is kept in this tab and filled in again ---- */
const typedIn = (form) => [...form.elements].filter((field) => field.name && field.matches("input, select, textarea") &&
  !field.matches("[type=hidden], [type=password], [type=file], [type=submit]"));
on("submit", 'body:not(.tk-auth) form[method="post"]', (event, form) => {
  const as = form.dataset.keepAs;
  const fields = as
    ? [[as, $$('[name="text"]', form).map((field) => field.value).join("\n"), false]]
    : typedIn(form).map((field) => [field.name, field.value, field.matches("[type=checkbox], [type=radio]") && !field.checked]);
  const path = as ? "" : new URL(form.action).pathname;
  try {
    sessionStorage.setItem("unsent", JSON.stringify({ path, reader: document.body.dataset.reader, fields }));
  } catch { /* no room, or none allowed: then it is not kept */ }
});
function fillAgain() {
  if (document.body.matches(".tk-auth")) return;  // on the way through the sign-in pages
  const kept = JSON.parse(sessionStorage.getItem("unsent") || "null");
  const refused = /(?:^|; )unsent=1/.test(document.cookie);
  sessionStorage.removeItem("unsent");
  document.cookie = "unsent=; path=/; max-age=0; samesite=lax";
  if (!kept || !refused || kept.reader !== document.body.dataset.reader) return;
  const form = $$('form[method="post"]').find((one) => kept.path
    ? new URL(one.action).pathname === kept.path && kept.fields.some(([name]) => one.elements[name])
    : one.elements[kept.fields[0][0]]);
  if (!form) return;
  const seen = {};
  for (const [name, value, off] of kept.fields) {
    const at = seen[name] = (seen[name] ?? -1) + 1;
    const same = () => typedIn(form).filter((field) => field.name === name);
    if (!same()[at]) { const grid = $("[data-grid]", form); if (grid) addRow(grid); }
    const field = same()[at];
    if (field?.matches("[type=checkbox], [type=radio]")) field.checked = !off;
    else if (field) field.value = value;
  }
  say($("#tk-flashes")?.dataset.unsent ?? "");
}

/* ---- Small things ---- */
on("click", "[data-dismiss]", (event, button) => button.closest(button.dataset.dismiss)?.remove());
on("click", "[data-print]", () => window.print());
on("change", "[data-submit-on-change]", (event, field) => field.form?.requestSubmit());
on("click", "[data-copy]", async (event, button) => {
  await navigator.clipboard?.writeText(button.dataset.copy);
  const label = $("[data-copy-label]", button);
  if (label) label.textContent = button.dataset.done;
});
on("input", "[data-confirm-name]", (event, input) => {
  const button = $("[data-confirm-button], [type=submit]", input.form);
  button.disabled = input.value.trim() !== input.dataset.confirmName;
});
on("submit", "form[data-once]", (event, form) => {
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  form.setAttribute("aria-busy", "true");
});
on("click", 'form button[type="submit"]', (event) => { if (event.detail > 1) event.preventDefault(); });  // a double click is one
window.addEventListener("pageshow", () => { for (const form of $$("form[data-sent]")) delete form.dataset.sent; });

/* ---- Dialogs: command field, shortcuts ---- */
on("click", "[data-dialog-open]", (event, button) => {
  const dialog = document.getElementById(button.dataset.dialogOpen);
  if (dialog?.showModal) { event.preventDefault(); dialog.showModal(); }
});
on("click", "[data-dialog-close]", (event, button) => button.closest("dialog").close());
document.addEventListener("click", (event) => { if (event.target instanceof HTMLDialogElement) event.target.close(); });

const command = $("#tk-command");
function link(href, text, hint, icon) {
  const anchor = document.createElement("a");
  anchor.href = href;
  if (icon) anchor.append(icon.cloneNode(true));
  const label = document.createElement("span");
  label.textContent = text;
  const note = document.createElement("span");
  note.className = "tk-muted";
  note.textContent = hint;
  anchor.append(label, note);
  return anchor;
}
function showCommands() {
  const words = $("input", command).value.trim().toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const list = $("[data-command-local]", command);
  const found = [];
  for (const item of $$("[data-command]")) {
    const text = (item.dataset.command || item.textContent).trim().replace(/\s+/g, " ");
    if (words.every((word) => text.toLocaleLowerCase().includes(word))) found.push([item, text]);
  }
  list.replaceChildren(...found.slice(0, 12).map(([item, text]) => {
    const row = document.createElement("li");
    row.append(link(item.href, text, item.dataset.commandHint || "", $(".tk-icon", item)));
    return row;
  }));
  activate(0);
}
const results = () => $$(".tk-command-results a", command);
function activate(index) {
  const items = results();
  items.forEach((item, at) => item.classList.toggle("is-active", at === index));
  items[index]?.scrollIntoView({ block: "nearest" });
}
function openCommand() {
  if (!command?.showModal || command.open) return;
  command.showModal();
  $("input", command).select();
  showCommands();
}
if (command) {
  on("click", "[data-command-open]", (event) => { event.preventDefault(); openCommand(); });
  $("input", command).addEventListener("input", showCommands);
  command.addEventListener("htmx:afterSwap", () => activate(0));
  command.addEventListener("keydown", (event) => {
    const items = results();
    const at = items.findIndex((item) => item.classList.contains("is-active"));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      activate((at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % (items.length || 1));
    } else if (event.key === "Enter" && items[at]) {
      event.preventDefault();
      items[at].click();
    }
  });
}

const help = $("#tk-shortcuts");
function openHelp() {
  if (!help?.showModal || help.open) return;
  const list = $("[data-shortcut-list]", help);
  list.replaceChildren(...$$("[data-shortcut]").flatMap((item) => {
    const term = document.createElement("dt");
    term.textContent = item.dataset.shortcutLabel || item.getAttribute("aria-label") || item.textContent.trim();
    const keys = document.createElement("dd");
    for (const key of item.dataset.shortcut.split(" ")) {
      const cap = document.createElement("kbd");
      cap.textContent = key;
      keys.append(cap, " ");
    }
    return [term, keys];
  }));
  help.showModal();
}

let pressed = "";
let forget = 0;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    const field = command ? null : $("[data-search-field]");
    if (!command && !field) return;
    event.preventDefault();
    if (field) field.select(); else openCommand();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  if (event.key === "?") { openHelp(); return; }
  clearTimeout(forget);
  forget = setTimeout(() => { pressed = ""; }, 900);
  pressed = `${pressed} ${event.key}`.trim().slice(-3);
  const target = $$("[data-shortcut]").find((item) => pressed === item.dataset.shortcut || pressed.endsWith(` ${item.dataset.shortcut}`));
  if (!target) return;
  event.preventDefault();
  pressed = "";
  if (target.matches("input")) target.select(); else target.click();
});

/* ---- htmx: the CSRF token on every request; a refusal or a lost connection is said, not swallowed ---- */
document.addEventListener("htmx:configRequest", (event) => {
  const token = $('meta[name="csrf-token"]')?.content;
  if (token) event.detail.headers["X-CSRFToken"] = token;
});
function say(text) {
  const area = $("#tk-flashes");
  const template = $("#tk-flash-template");
  if (!area || !template) return;
  const box = template.content.firstElementChild.cloneNode(true);
  $("[data-flash-text]", box).textContent = text;
  area.replaceChildren(box);
}
document.addEventListener("htmx:responseError", (event) => {
  const served = event.detail.xhr.getResponseHeader("X-Tukku-Message");
  say(served ? decodeURIComponent(served) : $("#tk-flashes")?.dataset.error ?? "");
});
document.addEventListener("htmx:sendError", () => say($("#tk-flashes")?.dataset.offline ?? ""));
document.addEventListener("htmx:afterSwap", (event) => {
  const form = event.detail.target.closest?.("form");
  if (form) countSelection(form);
});

/* ---- Tables that scroll sideways and hold nothing to focus: the keyboard scrolls them ---- */
function reachScrollers() {
  for (const wrap of $$(".tk-table-wrap")) {
    if (wrap.scrollWidth > wrap.clientWidth && !$("a, button, input, select, textarea, summary", wrap)) wrap.tabIndex = 0;
    else wrap.removeAttribute("tabindex");
  }
}
window.addEventListener("resize", reachScrollers);
document.addEventListener("htmx:afterSwap", reachScrollers);

reachScrollers();
markTheme();
fillAgain();
for (const root of $$("[data-choose]")) countChosen(root);
for (const form of $$("form:has([data-select-all])")) countSelection(form);
$(".tk-summary")?.focus();
