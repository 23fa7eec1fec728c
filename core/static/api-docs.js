// Shows the OpenAPI document of this shop. Nothing is loaded from elsewhere; keys stay in the page.
const place = document.querySelector("[data-openapi]");
SwaggerUIBundle({
  url: place.dataset.openapi,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
  tryItOutEnabled: false,
});
