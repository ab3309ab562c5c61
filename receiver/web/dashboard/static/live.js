// Refreshes the parts of a page that change, as often as its body says, without reloading it.
"use strict";

const everyMs = Number(document.body.dataset.refreshMs);
const partsOf = (page) => [...page.querySelectorAll("[data-live]")].map((part) => part.id);
const parts = partsOf(document);

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "follow" });
  if (answer.redirected) {
    // The session has ended: the page says so itself.
    location.reload();
    return;
  }
  if (!answer.ok) {
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (partsOf(page).join() !== parts.join()) {
    // A list that was empty has rows, or has none any more: that is another page.
    if (!document.querySelector("form:focus-within, details[open]")) {
      location.reload();
    }
    return;
  }
  showLocalTimes(page);
  for (const id of parts) {
    replace(document.getElementById(id), page.getElementById(id));
  }
  replace(document.querySelector("footer time"), page.querySelector("footer time"));
}

function replace(old, fresh) {
  const isRead = old?.matches(":focus-within") || old?.querySelector("details[open]");
  if (old && fresh && !isRead && hasChanged(old, fresh)) {
    old.innerHTML = fresh.innerHTML;
    for (const { name, value } of fresh.attributes) {
      old.setAttribute(name, value);
    }
  }
}

function hasChanged(old, fresh) {
  // Forms hold a token that is new each time: their part says itself whether it is another.
  return fresh.dataset.version === undefined
    ? old.innerHTML !== fresh.innerHTML
    : old.dataset.version !== fresh.dataset.version;
}

async function again() {
  // A page that nobody looks at asks for nothing.
  if (!document.hidden) {
    await refresh().catch(() => {});
  }
  setTimeout(again, everyMs);
}

if (parts.length > 0) {
  document.querySelector(".live-note")?.removeAttribute("hidden");
  setTimeout(again, everyMs);
}
