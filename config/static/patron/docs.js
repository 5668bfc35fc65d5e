"use strict";

// Swagger UI's dark colours hang on a class, and it sets that from a switch that this page does not have.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// The page's policy forbids inline scripts, so Swagger UI is started from this file.
SwaggerUIBundle({
  url: document.getElementById("docs").dataset.document,
  dom_id: "#docs",
  deepLinking: true,
  // No badge of an external validator: the document is not sent to another host.
  validatorUrl: null,
});
