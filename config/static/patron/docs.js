"use strict";

// The page's policy forbids inline scripts, so the one that starts Swagger UI lies here.
SwaggerUIBundle({
  url: document.getElementById("docs").dataset.document,
  dom_id: "#docs",
  deepLinking: true,
  // No badge of a validator elsewhere: the document never leaves this host.
  validatorUrl: null,
});
