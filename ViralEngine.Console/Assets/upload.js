// @ts-check
// The form that sends a file: shows what the server understands of it, then submits it. The file itself is the body, so that
// it may be large; the form's fields are in the query.

/** @type {Record<string, string>} */
const types = { csv: "text/csv", tsv: "text/csv", ndjson: "application/x-ndjson", jsonl: "application/x-ndjson" };

/** @param {HTMLFormElement} form @param {string} address where a preview comes from */
function upload(form, address) {
  const chooser = /** @type {HTMLInputElement} */ (form.querySelector("input[type=file]"));
  const drop = /** @type {HTMLElement} */ (form.querySelector("[data-drop]"));
  const state = /** @type {HTMLElement} */ (form.querySelector("[data-upload-state]"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button.primary"));
  const token = /** @type {HTMLInputElement} */ (form.elements.namedItem("form_token")).value;
  /** @type {File | undefined} */
  let file;

  /** @param {URL} target */
  const send = (target) => {
    for (const field of form.querySelectorAll("input[name], select[name]")) {
      const { name, value } = /** @type {HTMLInputElement} */ (field);
      if (name !== "form_token" && value) target.searchParams.set(name, value);
    }
    const type = types[file?.name.split(".").pop()?.toLowerCase() ?? ""];
    return fetch(target, { method: "POST", headers: { "Content-Type": type, "X-Form-Token": token }, body: file });
  };

  /** @param {Response} answer @param {string[]} parts the ids of what is taken from it */
  const take = async (answer, parts) => {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    let taken = false;
    for (const id of parts) {
      const fresh = page.getElementById(id);
      if (!fresh) continue;
      document.getElementById(id)?.replaceWith(document.adoptNode(fresh));
      taken = true;
    }
    state.textContent = taken ? "" : (page.querySelector("main")?.textContent?.replace(/\s+/g, " ").trim() ?? "The file could not be read.");
    button.disabled = !taken || form.querySelector("[data-faulty]") !== null;
  };

  /** @param {File | undefined} chosen */
  const choose = async (chosen) => {
    file = chosen;
    button.disabled = true;
    if (!file) return;
    if (!types[file.name.split(".").pop()?.toLowerCase() ?? ""]) {
      state.textContent = `${file.name} is not supported. Choose a .csv, .tsv, .ndjson or .jsonl file.`;
      return;
    }
    const name = /** @type {HTMLInputElement} */ (form.elements.namedItem("name"));
    if (!name.value) name.value = file.name.replace(/\.[^.]*$/, "").slice(0, 200);
    state.textContent = `Reading ${file.name}…`;
    try {
      await take(await send(new URL(address, location.href)), ["batch-preview"]);
    } catch {
      state.textContent = "The file could not be read or sent. Choose it again.";
    }
  };

  chooser.addEventListener("change", () => choose(chooser.files?.[0]));
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    void choose(event.dataTransfer?.files[0]);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!file) return;
    button.disabled = true;
    state.textContent = `Sending ${file.name}…`;
    try {
      const answer = await send(new URL(form.action));
      if (answer.redirected) location.assign(answer.url);
      else await take(answer, ["batch-preview", "batch-fields"]);
    } catch {
      state.textContent = "The file could not be sent. Try again: it is accepted only once.";
      button.disabled = false;
    }
  });
}

for (const place of document.querySelectorAll("[data-upload]")) {
  const form = place.querySelector("form");
  if (form) upload(form, place.getAttribute("data-upload") ?? "");
}
