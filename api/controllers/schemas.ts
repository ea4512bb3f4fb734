import Joi from "joi";
import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from "../../shared/domain/page.ts";
import { PER_USER_LIMIT_MAX, PRICE_MAX, STOCK_MAX } from "../../shared/domain/money.ts";
import { isCount } from "../../shared/domain/order-message.ts";
import { isOrderId, ORDER_STATUSES, type OrderStatus } from "../../shared/domain/order.ts";
import type { OrderPosition } from "../../shared/domain/ports.ts";
import { isCommonPassword } from "./common-passwords.ts";

/** Every schema a request is held against; the OpenAPI document is made from them (../openapi). */

const PASSWORD_BYTES_MIN = 8;
/** bcrypt reads no more. */
const PASSWORD_BYTES_MAX = 72;
const TITLE_CHARS_MAX = 200;
const EMAIL_CHARS_MAX = 254;
const ID_MAX = Number.MAX_SAFE_INTEGER;

export const NO_CONTROL_CHARACTERS = /^[^\u0000-\u001f\u007f]*$/;

const count = (max: number) => Joi.number().strict().integer().min(1).max(max);

const username = Joi.string()
  .pattern(/^[A-Za-z0-9_.-]{3,32}$/)
  .min(3)
  .max(32)
  .example("mina.kim")
  .messages({ "string.pattern.base": "{{#label}} must have 3 to 32 of A-Z a-z 0-9 _ . -" });

const email = Joi.string()
  .max(EMAIL_CHARS_MAX)
  .email({ tlds: false, minDomainSegments: 2 })
  .lowercase()
  .example("mina@example.com");

const password = Joi.string()
  .custom(acceptablePassword)
  .min(1)
  .example("correct horse battery")
  .messages({
    "password.short": `{{#label}} must have at least ${PASSWORD_BYTES_MIN} bytes`,
    "password.long": `{{#label}} must have at most ${PASSWORD_BYTES_MAX} bytes`,
    "password.nul": "{{#label}} must not contain NUL",
    "password.common": "{{#label}} is one of the most common passwords",
  });

export interface SignupBody {
  readonly username: string;
  readonly email: string;
  readonly password: string;
}
export const signupBody = Joi.object<SignupBody>({
  username: username.required(),
  email: email.required(),
  password: password.required(),
}).required();

export interface LoginBody {
  readonly username?: string;
  readonly email?: string;
  readonly password: string;
}
/** Lengths only: what could not have signed up is simply wrong, and the answer must not tell the two apart. */
export const loginBody = Joi.object<LoginBody>({
  username: Joi.string().max(EMAIL_CHARS_MAX).example("mina.kim"),
  email: Joi.string().max(EMAIL_CHARS_MAX).lowercase().example("mina@example.com"),
  password: Joi.string().max(1_024).required().example("correct horse battery"),
})
  .xor("username", "email")
  .required();

export interface ProductBody {
  readonly title: string;
  readonly price: number;
  readonly stock: number;
  readonly startTime: number;
  readonly endTime?: number;
  readonly currency: string;
  readonly perUserLimit: number;
}
export const instantText = Joi.string().custom(toEpochMs).messages({
  "instant.format": "{{#label}} must be an ISO 8601 instant in UTC, like 2027-01-01T09:00:00.000Z",
  "instant.range": "{{#label}} must be between the years 2000 and 9999",
});
const title = Joi.string()
  .trim()
  .min(1)
  .max(TITLE_CHARS_MAX)
  .pattern(NO_CONTROL_CHARACTERS)
  .example("Winter concert, standing")
  .messages({ "string.pattern.base": "{{#label}} must not contain control characters" });
export const productBody = Joi.object<ProductBody>({
  title: title.required(),
  price: count(PRICE_MAX).required().example(99_000),
  stock: count(STOCK_MAX).required().example(1_000),
  startTime: instantText.required().example("2027-01-01T09:00:00.000Z"),
  endTime: instantText.example("2027-01-02T09:00:00.000Z"),
  currency: Joi.string()
    .pattern(/^[A-Z]{3}$/)
    .custom(knownCurrency)
    .default("KRW")
    .example("KRW")
    .messages({
      "string.pattern.base": "{{#label}} must be an ISO 4217 code",
      "currency.unknown": "{{#label}} must be an ISO 4217 code",
    }),
  perUserLimit: count(PER_USER_LIMIT_MAX).default(1).example(1),
}).required();

export interface ProductChangeBody {
  readonly title?: string;
  readonly endTime?: number | "now";
  readonly stock?: number;
}
export const productChangeBody = Joi.object<ProductChangeBody>({
  title,
  endTime: Joi.alternatives(Joi.string().valid("now"), instantText)
    .example("2027-01-02T08:00:00.000Z")
    .messages({
      "alternatives.match": '{{#label}} must be "now" or an ISO 8601 instant in UTC',
    }),
  stock: count(STOCK_MAX).example(1_200),
})
  .min(1)
  .messages({ "object.min": "at least one of title, endTime and stock is needed" })
  .required();

export interface OrderBody {
  readonly productId: number;
  readonly quantity: number;
}
export const orderBody = Joi.object<OrderBody>({
  productId: count(ID_MAX).required().example(1),
  quantity: count(PER_USER_LIMIT_MAX).default(1).example(1),
}).required();

/**
 * An order's body when it is as plain as most are; undefined when the schema has to look at it. Never more than the schema
 * takes, and the same of it (schemas.test.ts): it takes ten times as long to say so.
 */
export function plainOrderBody(body: unknown): OrderBody | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { productId, quantity = 1 } = body as Partial<OrderBody>;
  const named = Object.keys(body).length;
  if (
    named > (Object.hasOwn(body, "quantity") ? 2 : 1) ||
    !isCount(productId, ID_MAX) ||
    !isCount(quantity, PER_USER_LIMIT_MAX)
  )
    return undefined;
  return { productId, quantity };
}

export const IDEMPOTENCY_KEY = /^[A-Za-z0-9_-]{16,64}$/;
export const idempotencyKey = Joi.object<{ readonly "Idempotency-Key"?: string }>({
  "Idempotency-Key": Joi.string()
    .pattern(IDEMPOTENCY_KEY)
    .description(
      "16 to 64 of A-Z a-z 0-9 _ -; one for each attempt to buy, the same one when that attempt is repeated.",
    )
    .messages({ "string.pattern.base": "{{#label}} must have 16 to 64 of A-Z a-z 0-9 _ -" }),
}).required();

/** What a text of digits is to a client: the OpenAPI document's words for it. */
export const asInteger = (min: number, max: number, usual?: number): object => {
  const number = Joi.number().integer().min(min).max(max);
  return { schemaOverride: usual === undefined ? number : number.default(usual) };
};

/** Digits as a path or a query carries them; never `1e3`, ` 7` or `0x10`. */
export const idText = Joi.string()
  .pattern(/^[1-9]\d{0,15}$/)
  .custom(toId)
  .meta(asInteger(1, ID_MAX))
  .messages({
    "string.pattern.base": "{{#label}} must be a positive integer",
    "id.range": "{{#label}} must be a positive integer",
  });

const idOfPath = idText.required().example(1);
export const productPath = Joi.object<{ readonly id: number }>({ id: idOfPath });
export const userIdPath = Joi.object<{ readonly userId: number }>({ userId: idOfPath });
export const productIdPath = Joi.object<{ readonly productId: number }>({ productId: idOfPath });
export const orderIdText = Joi.string()
  .custom(toOrderId)
  .meta({ schemaOverride: Joi.string().guid() })
  .messages({ "order.id": "{{#label}} must be an order id" });
export const orderPath = Joi.object<{ readonly id: string }>({
  id: orderIdText.required().example("019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b70"),
});
export const noQuery = Joi.object<Record<string, never>>({});

export const limit = Joi.string()
  .pattern(/^[1-9]\d{0,2}$/)
  .custom(toPageLimit)
  .meta(asInteger(1, PAGE_LIMIT_MAX, PAGE_LIMIT_DEFAULT))
  .description("Rows on the page.")
  .default(PAGE_LIMIT_DEFAULT)
  .messages({
    "string.pattern.base": `{{#label}} must be an integer from 1 to ${PAGE_LIMIT_MAX}`,
    "limit.range": `{{#label}} must be an integer from 1 to ${PAGE_LIMIT_MAX}`,
  });
const CURSOR_IS = "meta.nextCursor of the page before.";
const cursorMessage = { "cursor.form": "{{#label}} must be a cursor that an earlier page gave" };

export interface IdPageQuery {
  readonly limit: number;
  readonly cursor?: number;
}
export const idCursor = Joi.string()
  .max(64)
  .custom(toIdCursor)
  .description(CURSOR_IS)
  .messages(cursorMessage);
export const idPageQuery = Joi.object<IdPageQuery>({ limit, cursor: idCursor });

export interface OrdersQuery {
  readonly limit: number;
  readonly cursor?: OrderPosition;
  readonly status?: OrderStatus;
  readonly productId?: number;
}
export const ordersQuery = Joi.object<OrdersQuery>({
  limit,
  cursor: Joi.string().max(128).custom(toOrderCursor).description(CURSOR_IS).messages(cursorMessage),
  status: Joi.string().valid(...ORDER_STATUSES),
  productId: idText.description("Only orders of this product."),
});

export const consistencyQuery = Joi.object<{ readonly productId?: number }>({
  productId: idText.description("Only this product; without it all of them."),
});

export const encodeCursor = (position: number | OrderPosition): string =>
  Buffer.from(JSON.stringify(position)).toString("base64url");

function toIdCursor(text: string, helpers: Joi.CustomHelpers): number | Joi.ErrorReport {
  const position = decodeCursor(text);
  return isId(position) ? position : helpers.error("cursor.form");
}

function toOrderCursor(text: string, helpers: Joi.CustomHelpers): OrderPosition | Joi.ErrorReport {
  const position = decodeCursor(text);
  if (!Array.isArray(position) || position.length !== 2) return helpers.error("cursor.form");
  const [acceptedAt, orderId] = position as unknown[];
  const inRange = Number.isSafeInteger(acceptedAt) && Math.abs(acceptedAt as number) <= LAST_INSTANT;
  return inRange && isOrderId(orderId) ? [acceptedAt as number, orderId] : helpers.error("cursor.form");
}

function decodeCursor(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;

function toId(text: string, helpers: Joi.CustomHelpers): number | Joi.ErrorReport {
  const id = Number(text);
  return isId(id) ? id : helpers.error("id.range");
}

function toOrderId(text: string, helpers: Joi.CustomHelpers): string | Joi.ErrorReport {
  return isOrderId(text) ? text : helpers.error("order.id");
}

function toPageLimit(text: string, helpers: Joi.CustomHelpers): number | Joi.ErrorReport {
  const rows = Number(text);
  return rows <= PAGE_LIMIT_MAX ? rows : helpers.error("limit.range");
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;
const FIRST_INSTANT = Date.UTC(2000, 0, 1);
const LAST_INSTANT = Date.UTC(9999, 11, 31);

function toEpochMs(text: string, helpers: Joi.CustomHelpers): number | Joi.ErrorReport {
  const epochMs = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  // A day that does not exist (30 February) would be read as another one.
  if (Number.isNaN(epochMs) || new Date(epochMs).toISOString().slice(0, 10) !== text.slice(0, 10)) {
    return helpers.error("instant.format");
  }
  return epochMs >= FIRST_INSTANT && epochMs < LAST_INSTANT ? epochMs : helpers.error("instant.range");
}

const CURRENCIES = new Set(Intl.supportedValuesOf("currency"));

function knownCurrency(code: string, helpers: Joi.CustomHelpers): string | Joi.ErrorReport {
  return CURRENCIES.has(code) ? code : helpers.error("currency.unknown");
}

function acceptablePassword(value: string, helpers: Joi.CustomHelpers): string | Joi.ErrorReport {
  const bytes = Buffer.byteLength(value);
  if (bytes < PASSWORD_BYTES_MIN) return helpers.error("password.short");
  if (bytes > PASSWORD_BYTES_MAX) return helpers.error("password.long");
  if (value.includes("\0")) return helpers.error("password.nul");
  return isCommonPassword(value) ? helpers.error("password.common") : value;
}
