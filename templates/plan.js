// Filters and sorts the namespaces, and copies commands. The page is complete without it.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const body = document.querySelector("#namespaces tbody");
  const form = document.querySelector("form.filter");
  const count = document.querySelector("#count");
  const nothing = document.querySelector("#nothing");

  // What belongs to one namespace, wherever it stands: rows, and its section.
  const byAnchor = new Map();
  const rows = all("tr", body).map((row) => {
    const anchor = row.cells[0].firstElementChild.hash;
    const entry = {
      row,
      name: row.cells[0].firstElementChild.textContent.toLowerCase(),
      marks: row.dataset.marks.split(" "),
      enforce: row.cells[1].firstElementChild.className,
      parts: [row],
    };
    byAnchor.set(anchor, entry);
    return entry;
  });
  for (const row of all("#checks tbody tr")) {
    byAnchor.get(row.cells[0].firstElementChild.hash).parts.push(row);
  }
  for (const section of all("details.ns")) {
    byAnchor.get("#" + section.querySelector(".body").id).parts.push(section);
  }

  // Hides what does not match the filter.
  const filter = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    const level = form.elements.level.value;
    const mark = form.elements.mark.value;
    let shown = 0;
    for (const entry of rows) {
      const matches = entry.name.includes(text)
        && (level === "" || entry.enforce === level)
        && (mark === "" || (mark === "own" ? !entry.marks.includes("system") : entry.marks.includes(mark)));
      shown += matches ? 1 : 0;
      for (const part of entry.parts) {
        if (part.hidden === matches) part.hidden = !matches;
      }
    }
    for (const block of all("#checks .block")) {
      block.hidden = block.querySelector("tbody tr:not([hidden])") === null;
    }
    count.value = `${shown} of ${rows.length} namespaces`;
    nothing.hidden = shown > 0;
  };
  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, rows.length > 500 ? 120 : 0);
  });
  form.addEventListener("reset", () => setTimeout(filter, 0));
  form.addEventListener("submit", (event) => event.preventDefault());

  // Shows the namespaces with a kind of finding.
  for (const button of all("button.show")) {
    button.addEventListener("click", () => {
      form.reset();
      form.elements.mark.value = button.dataset.mark;
      document.querySelector("#namespaces").scrollIntoView();
    });
  }

  // Sorts by the column whose heading was pressed; pressed again, the other way round.
  const ranks = { none: 0, privileged: 1, baseline: 2, restricted: 3 };
  const names = new Intl.Collator("en", { numeric: true });
  const keys = {
    level: (cell) => ranks[cell.firstElementChild.className],
    number: (cell) => Number(cell.textContent) || 0,
    text: (cell) => cell.textContent,
  };
  const headings = all("#namespaces thead th");
  for (const heading of headings) {
    heading.querySelector("button").addEventListener("click", () => {
      const isUp = heading.ariaSort === "ascending";
      const sign = isUp ? -1 : 1;
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", isUp ? "descending" : "ascending");
      const key = keys[heading.dataset.sort];
      const keyed = rows.map((entry) => [key(entry.row.cells[heading.cellIndex]), entry]);
      const compare = heading.dataset.sort === "text"
        ? (a, b) => names.compare(a[0], b[0])
        : (a, b) => a[0] - b[0];
      keyed.sort((a, b) => sign * compare(a, b));
      body.append(...keyed.map(([, entry]) => entry.row));
    });
  }

  // Opens and closes the sections that are shown.
  const sections = all("details.ns");
  for (const button of all("button[data-open]")) {
    button.addEventListener("click", () => {
      for (const section of sections) {
        if (!section.hidden) section.open = button.dataset.open === "true";
      }
    });
  }

  // Copies the text beside a button, and says so on it.
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      return true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(text);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      return document.execCommand("copy");
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const done = await copied(button.parentElement.querySelector("pre"));
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  filter();
})();
