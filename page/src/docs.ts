// The model service's description, drawn by Swagger UI. Everything comes from the service itself.
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

SwaggerUI({
  url: "/openapi.json",
  dom_id: "#description",
  deepLinking: true,
  validatorUrl: null, // its badge would ask a server elsewhere
});
