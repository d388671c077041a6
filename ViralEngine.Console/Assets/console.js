// @ts-check
// All of the console's script. Pages are whole without it: it shows times in the viewer's zone, and keeps a page up to date.

/** @param {ParentNode} root */
function localTimes(root) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.getAttribute("datetime") ?? "");
    if (Number.isNaN(at.getTime())) continue;
    time.setAttribute("title", time.getAttribute("datetime") ?? "");
    time.textContent = format.format(at);
  }
}

/** What the page is now; null: it could not be loaded, or nobody is signed in any more. */
async function load() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) tellSignedOut();
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

let isSignedOut = false;

function tellSignedOut() {
  if (isSignedOut) return;
  isSignedOut = true;
  const said = document.createElement("p");
  said.className = "fault";
  said.setAttribute("role", "alert");
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Sign in again";
  said.append("Your session has ended, and this page no longer updates. ", link, ".");
  document.querySelector("main")?.prepend(said);
}

/** @param {string} words for those who listen to the page instead of looking at it */
function say(words) {
  const said = document.getElementById("said");
  if (said) said.textContent = words;
}

/** @param {Element} region */
const statusIn = (region) => region.querySelector("h1 .status")?.textContent;

/** @type {Map<string, Element>} What is newer than the page, by the id of its region. */
const newer = new Map();

/** Takes over what is newer. A region that somebody is in stays as it is until they leave it. */
function update() {
  for (const [id, next] of newer) {
    const region = document.getElementById(id);
    if (region?.contains(document.activeElement)) continue;
    newer.delete(id);
    if (!region) continue;
    const taken = document.adoptNode(next);
    localTimes(taken);
    region.replaceWith(taken);
    const status = statusIn(taken);
    if (status && status !== statusIn(region)) say(`Status: ${status}`);
  }
}

/**
 * Takes over what has changed: the regions, by their ids.
 * @param {Document} fresh
 */
function take(fresh) {
  for (const region of document.querySelectorAll("[data-region]")) {
    const next = fresh.getElementById(region.id);
    if (next) newer.set(region.id, next);
  }
  update();
}

let loading = false;
let again = false;

/** Loads the page once more, never twice at a time. */
async function refresh() {
  again = loading;
  if (loading) return;
  loading = true;
  do {
    again = false;
    const fresh = await load();
    if (fresh) take(fresh);
  } while (again);
  loading = false;
}

const pause = 2000;

/**
 * Keeps a stream open. A browser comes back by itself after a broken connection, but not after an answer such as a balancer's 502: then
 * it is opened anew, for as long as the page still names it.
 * @param {string} attribute where the page names it
 * @param {(source: EventSource, place: Element) => void} listen
 */
function keepOpen(attribute, listen) {
  const place = document.querySelector(`[${attribute}]`);
  const address = place?.getAttribute(attribute);
  if (!place || !address) return;
  const source = new EventSource(address);
  listen(source, place);
  const close = () => source.close();
  addEventListener("pagehide", close);
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    removeEventListener("pagehide", close);
    setTimeout(reopen, pause);
  });
  const reopen = async () => {
    const fresh = await load();
    if (isSignedOut) return;
    if (!fresh) {
      setTimeout(reopen, pause);
      return;
    }
    take(fresh);
    if (fresh.querySelector(`[${attribute}]`)) keepOpen(attribute, listen);
  };
}

/** Follows a stream of events, whose names differ by page. */
function follow() {
  let due = 0;
  keepOpen("data-live", (source, place) => {
    for (const name of (place.getAttribute("data-events") ?? "").split(" ")) {
      source.addEventListener(name, () => {
        clearTimeout(due);
        due = setTimeout(refresh, 100);
      });
    }
  });
}

/** Writes an agent's answer as it comes. */
function followTokens() {
  const waits = document.querySelector("[data-waits]");
  keepOpen("data-tokens", (source, place) => {
    place.textContent = "";
    source.addEventListener("token", (event) => {
      waits?.remove();
      place.append(JSON.parse(event.data).text);
    });
    source.addEventListener("reset", () => {
      place.textContent = "";
    });
    source.addEventListener("done", (event) => {
      waits?.remove();
      source.close();
      if (JSON.parse(event.data).status === "completed") say("The answer is complete.");
      void refresh();
    });
  });
}

/** At a gate: A and R lead to the buttons. */
function keys() {
  const decide = document.querySelector("[data-decide]");
  if (!decide) return;
  addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea, select")) return;
    const button = decide.querySelector(`button[aria-keyshortcuts="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button instanceof HTMLElement) button.focus();
  });
}

/** On a narrow screen the menu begins closed. */
function menu() {
  const narrow = matchMedia("(max-width: 760px)");
  const place = () => document.querySelector("details.menu")?.toggleAttribute("open", !narrow.matches);
  narrow.addEventListener("change", place);
  place();
}

// A page that the browser kept has lost its streams.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
// The focus has arrived elsewhere only after this event.
document.addEventListener("focusout", () => setTimeout(update));
localTimes(document);
menu();
keys();
follow();
followTokens();
