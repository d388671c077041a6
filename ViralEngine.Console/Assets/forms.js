// @ts-check
// What forms gain by a script: times in the viewer's zone, a button that says what it waits for, and one that copies a secret.

const zones = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" });

/**
 * Shows a time in the viewer's zone, and says so in its label. What is sent is UTC, as without a script.
 * @param {HTMLInputElement} field
 */
function localTime(field) {
  const label = field.labels?.[0];
  const words = label?.textContent ?? "";
  const typed = () => new Date(field.value);
  // It differs between summer and winter.
  const nameZone = () => {
    const at = field.value ? typed() : new Date();
    if (!label || Number.isNaN(at.getTime())) return;
    const zone = zones.formatToParts(at).find((part) => part.type === "timeZoneName");
    if (zone) label.textContent = words.replace("UTC", zone.value);
  };
  // Not its value, which a browser may have restored.
  const utc = new Date(`${field.defaultValue}Z`);
  if (!Number.isNaN(utc.getTime())) {
    field.value = new Date(utc.getTime() - utc.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  }
  nameZone();
  field.addEventListener("input", nameZone);
  field.form?.addEventListener("formdata", (event) => {
    const at = typed();
    if (!Number.isNaN(at.getTime())) event.formData.set(field.name, at.toISOString().slice(0, 19));
  });
}

for (const field of document.querySelectorAll("input")) {
  if (field.type === "datetime-local") localTime(field);
}

document.addEventListener("submit", (event) => {
  const button = /** @type {SubmitEvent} */ (event).submitter;
  const words = button?.getAttribute("data-busy");
  if (!button || !words) return;
  const said = document.createElement("p");
  said.className = "muted";
  said.setAttribute("role", "status");
  said.textContent = words;
  button.parentElement?.after(said);
  // Only after its value has been taken into the form.
  setTimeout(() => button.setAttribute("disabled", ""));
});

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.removeAttribute("hidden");
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.getAttribute("data-copy") ?? "")?.textContent ?? "";
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy it manually";
    }
  });
}
