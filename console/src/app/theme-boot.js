// Sets the theme before the first paint. Kept free of imports: it runs alone, ahead of the bundle.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("factum.theme");
  } catch (_) {
    // Storage may be forbidden; then the system decides.
  }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
