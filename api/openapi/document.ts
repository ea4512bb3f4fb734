import { fileURLToPath } from "node:url";
import type Joi from "joi";
import joiToSwagger from "joi-to-swagger";
import swaggerJsdoc from "swagger-jsdoc";
import { PROBLEMS } from "../middleware/error-handler.ts";
import { discardBody } from "../controllers/admin-schemas.ts";
import { loginBody, orderBody, productBody, productChangeBody, signupBody } from "../controllers/schemas.ts";
import { parameters } from "./parameters.ts";
import { errorResponses, successResponses } from "./responses.ts";

export type OpenApiDocument = Readonly<Record<string, unknown>> & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The OpenAPI document: paths from the comments on the routes, request bodies and parameters from the Joi schemas that validate
 * them, answers from responses.ts, the rest from components.yaml.
 * @throws when a comment is not valid
 */
export function createDocument(): OpenApiDocument {
  // Compiled or not, the routes keep their comments.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return swaggerJsdoc({
    failOnErrors: true,
    definition: {
      openapi: "3.0.3",
      info: {
        title: "FlashPay",
        version: "1.0.0",
        description: "Flash-sale payments: orders answered in milliseconds, settled exactly once.",
        contact: { name: "The operators of this server" },
        license: { name: "MIT", url: "https://opensource.org/license/mit" },
      },
      servers: [{ url: "/", description: "This server" }],
      security: [{ bearer: [] }],
      components: {
        requestBodies: {
          Signup: bodyOf(signupBody),
          Login: bodyOf(loginBody),
          Product: bodyOf(productBody),
          ProductChange: bodyOf(productChangeBody),
          Order: bodyOf(orderBody),
          Discard: bodyOf(discardBody),
        },
        parameters,
        responses: { ...successResponses, ...errorResponses },
        schemas: { ErrorCode: { type: "string", enum: Object.keys(PROBLEMS) } },
      },
    },
    apis: [here("./components.yaml"), here(`../routes/*-routes.${extension}`)],
  }) as OpenApiDocument;
}

interface Swagger {
  readonly properties: Readonly<Record<string, { readonly example?: unknown }>>;
}

function bodyOf(schema: Joi.ObjectSchema): object {
  const { swagger } = joiToSwagger.default(schema) as unknown as { swagger: Swagger };
  const example = Object.fromEntries(
    Object.entries(swagger.properties)
      // Either of the two names signs in; an example that can be sent has one.
      .filter(([name]) => schema !== loginBody || name !== "email")
      .flatMap(([name, { example }]) => (example === undefined ? [] : [[name, example]])),
  );
  return { required: true, content: { "application/json": { schema: swagger, example } } };
}
