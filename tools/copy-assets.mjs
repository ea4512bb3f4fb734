// What the compiled programs read beside themselves: Lua scripts, the OpenAPI document's shared part, migrations.
import { cpSync } from "node:fs";

for (const path of [
  "shared/redis/scripts",
  "api/openapi/components.yaml",
  "migrations",
  "tools/bench/yardsticks/reserve.lua",
]) {
  cpSync(path, `dist/${path}`, { recursive: true });
}
