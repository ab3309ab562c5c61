// Shows the description of the admin API. A file of its own: the pages allow no inline script.
"use strict";

const api = document.getElementById("api");

SwaggerUIBundle({
  domNode: api,
  url: api.dataset.document,
  deepLinking: true,
  // What somebody typed as their key is forgotten with the page.
  persistAuthorization: false,
  // A validator of somebody else's would be told of this service.
  validatorUrl: null,
});
