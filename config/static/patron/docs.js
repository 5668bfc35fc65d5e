"use strict";

// Swagger UI's dark colours hang on a class, and it sets that from a switch that this page does not have.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// A link to an operation stands in a button, where no keyboard reaches it; the button alone opens the operation.
const WithoutNestedLinks = () => ({
  wrapComponents: { DeepLink: (_, { React }) => ({ text }) => React.createElement("span", null, text) },
});

// What Swagger UI leaves without a name for screen readers, and headings that skip a level.
const NAMES = [
  [".information-container", { role: "region", "aria-label": "About this API" }],
  [".schemes-server-container", { role: "region", "aria-label": "Server and authorization" }],
  ["#servers", { "aria-label": "Server" }],
  ["h3.opblock-tag", { "aria-level": "2" }],
  ["section.models h4", { "aria-level": "2" }],
];
const name = () => {
  for (const [selector, attributes] of NAMES) {
    for (const element of document.querySelectorAll(selector)) {
      for (const [key, value] of Object.entries(attributes)) {
        if (element.getAttribute(key) !== value) element.setAttribute(key, value);
      }
    }
  }
};
const docs = document.getElementById("docs");
new MutationObserver(name).observe(docs, { childList: true, subtree: true });

// The page's policy forbids inline scripts, so Swagger UI is started from this file.
SwaggerUIBundle({
  url: docs.dataset.document,
  dom_id: "#docs",
  deepLinking: true,
  plugins: [WithoutNestedLinks],
  // No badge of an external validator: the document is not sent to another host.
  validatorUrl: null,
});
