import type Joi from "joi";
import joiToSwagger from "joi-to-swagger";
import { auditQuery, deadLetterPath, deadLettersQuery } from "../controllers/admin-schemas.ts";
import { dailyQuery, exportPath, exportQuery } from "../controllers/report-schemas.ts";
import {
  consistencyQuery,
  idempotencyKey,
  idPageQuery,
  orderPath,
  ordersQuery,
  productIdPath,
  productPath,
  userIdPath,
} from "../controllers/schemas.ts";

type Place = "path" | "query" | "header";

/** Parameters, from the Joi schemas that hold requests against them; routes name those that they take. */
export const parameters = {
  Limit: parameter("query", idPageQuery, "limit"),
  Cursor: parameter("query", idPageQuery, "cursor"),
  OrderCursor: parameter("query", ordersQuery, "cursor"),
  Status: parameter("query", ordersQuery, "status"),
  ProductFilter: parameter("query", ordersQuery, "productId"),
  CheckedProduct: parameter("query", consistencyQuery, "productId"),
  ProductId: parameter("path", productPath, "id"),
  SettledProductId: parameter("path", productIdPath, "productId"),
  UserId: parameter("path", userIdPath, "userId"),
  From: parameter("query", dailyQuery, "from"),
  To: parameter("query", dailyQuery, "to"),
  SettledProduct: parameter("query", dailyQuery, "productId"),
  SettledUser: parameter("query", dailyQuery, "userId"),
  Format: parameter("query", dailyQuery, "format"),
  FormatOfExport: parameter("query", exportQuery, "format"),
  ExportId: parameter("path", exportPath, "id"),
  OrderId: parameter("path", orderPath, "id"),
  DeadLetterId: parameter("path", deadLetterPath, "id"),
  DeadLetterStatus: parameter("query", deadLettersQuery, "status"),
  DeadLetterOrder: parameter("query", deadLettersQuery, "orderId"),
  Partition: parameter("query", deadLettersQuery, "partition"),
  AuditTarget: parameter("query", auditQuery, "target"),
  IdempotencyKey: parameter("header", idempotencyKey, "Idempotency-Key"),
} as const;

function parameter<T>(place: Place, schema: Joi.ObjectSchema<T>, name: keyof T & string): object {
  const rule = schema.extract(name);
  const { flags, examples } = rule.describe() as {
    readonly flags?: { readonly description?: string };
    readonly examples?: readonly unknown[];
  };
  const { swagger } = joiToSwagger.default(rule);
  const { description: _said, example: _shown, ...kind } = swagger as Readonly<Record<string, unknown>>;
  const example = examples?.[0];
  return {
    ...{ name, in: place, schema: kind },
    ...(place === "path" && { required: true }),
    ...(flags?.description !== undefined && { description: flags.description }),
    ...(example !== undefined && { example }),
  };
}
