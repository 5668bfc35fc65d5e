"use strict";

// The page's policy forbids inline scripts, so Swagger UI is started from this file.
SwaggerUIBundle({
  url: document.getElementById("docs").dataset.document,
  dom_id: "#docs",
  deepLinking: true,
  // No badge of an external validator: the document is not sent to another host.
  validatorUrl: null,
});
