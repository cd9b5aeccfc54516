// Asks for the page again and again, and shows it where it has changed. What is open
// stays open, and what is read stays where it is.
"use strict";
const live = () => document.getElementById("live");
let tag = "";
async function refresh() {
  try {
    const answer = await fetch(location.pathname, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") || "";
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const open = new Map([...document.querySelectorAll("details")].map((d) => [d.id, d.open]));
      const focused = document.activeElement && document.activeElement.parentElement ? document.activeElement.parentElement.id : "";
      for (const details of fresh.querySelectorAll("details")) if (open.has(details.id)) details.open = open.get(details.id);
      document.querySelector("main").replaceWith(fresh.querySelector("main"));
      if (focused) document.querySelector(`#${CSS.escape(focused)} > summary`)?.focus({ preventScroll: true });
    }
    live().textContent = "live";
  } catch {
    live().textContent = "the server has ended; its reports are where it ran";
  }
  setTimeout(refresh, document.hidden ? 5000 : 1000);
}
refresh();
