// Runs before the first paint, so that a page never flashes in the wrong theme. theme.ts owns the same two facts.
(function () {
  let choice = null;
  try {
    choice = localStorage.getItem("muster.theme");
  } catch {
    // Storage may be switched off; the system's theme is used then.
  }
  const light = choice === "light" || (choice !== "dark" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
})();
