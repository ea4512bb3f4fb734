import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatePostman } from "./postman/generate.ts";
import { REPOSITORY } from "./stack/home.ts";

/** `npm run postman`: writes the Postman collection and environment anew from the OpenAPI document. */
for (const [path, text] of await generatePostman()) {
  mkdirSync(dirname(join(REPOSITORY, path)), { recursive: true });
  writeFileSync(join(REPOSITORY, path), text);
  console.log(path);
}
