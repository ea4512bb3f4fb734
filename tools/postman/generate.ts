import { createDocument } from "../../api/openapi/document.ts";
import { idOf, toCollection } from "./convert.ts";
import { walkFolder } from "./walk.ts";

const BASE_URL = "http://127.0.0.1:3000";

/** Path of each generated file → its text. */
export async function generatePostman(): Promise<ReadonlyMap<string, string>> {
  const collection = await toCollection(createDocument());
  const whole = {
    ...collection,
    item: [walkFolder(), ...collection.item],
    variable: [{ key: "baseUrl", value: BASE_URL }],
  };
  return new Map([
    ["postman/flashpay.postman_collection.json", textOf(whole)],
    ["postman/local.postman_environment.json", textOf(localEnvironment())],
  ]);
}

/** What a person has to know of a running FlashPay. No password stands here: `npm start` prints the one it made. */
function localEnvironment(): object {
  const value = (key: string, content: string, type: "default" | "secret" = "default") => ({
    key,
    value: content,
    type,
    enabled: true,
  });
  return {
    id: idOf("local environment"),
    name: "FlashPay, local",
    values: [
      value("baseUrl", BASE_URL),
      value("adminUsername", "admin"),
      value("adminPassword", "", "secret"),
      value("bearerToken", "", "secret"),
    ],
    _postman_variable_scope: "environment",
  };
}

const textOf = (content: object): string => `${JSON.stringify(content, null, 2)}\n`;
