// @ts-check
// What forms gain by a script: a button that says what it waits for, and one that copies a secret.

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
