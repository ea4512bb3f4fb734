import Joi from "joi";
import { DEAD_LETTER_STATUSES, type DeadLetterFilter } from "../../shared/domain/dead-letter.ts";
import {
  asInteger,
  idCursor,
  idText,
  limit,
  NO_CONTROL_CHARACTERS,
  orderIdText,
  type IdPageQuery,
} from "./schemas.ts";

/** What requests of administrators are held against. */

const REASON_CHARS_MIN = 3;
const REASON_CHARS_MAX = 500;
const PARTITION_MAX = 999_999_999;

export type DeadLettersQuery = IdPageQuery & DeadLetterFilter;
export const deadLettersQuery = Joi.object<DeadLettersQuery>({
  limit,
  cursor: idCursor,
  status: Joi.string().valid(...DEAD_LETTER_STATUSES),
  orderId: orderIdText.description("Only letters that name this order."),
  partition: Joi.string()
    .pattern(/^(0|[1-9]\d{0,8})$/)
    .custom(Number)
    .meta(asInteger(0, PARTITION_MAX))
    .description("Only letters that stood in this partition.")
    .messages({ "string.pattern.base": "{{#label}} must be a partition's number" }),
});

export const deadLetterPath = Joi.object<{ readonly id: number }>({ id: idText.required().example(1) });

export interface DiscardBody {
  readonly reason: string;
}
export const discardBody = Joi.object<DiscardBody>({
  reason: Joi.string()
    .trim()
    .min(REASON_CHARS_MIN)
    .max(REASON_CHARS_MAX)
    .pattern(NO_CONTROL_CHARACTERS)
    .required()
    .example("A test producer wrote to the wrong topic.")
    .messages({ "string.pattern.base": "{{#label}} must not contain control characters" }),
}).required();

export interface AuditQuery extends IdPageQuery {
  readonly target?: string;
}
export const auditQuery = Joi.object<AuditQuery>({
  limit,
  cursor: idCursor,
  target: Joi.string()
    .pattern(/^[a-z_]{1,32}:[A-Za-z0-9-]{1,64}$/)
    .description("Only acts on this: a kind and an id.")
    .example("dead_letter:17")
    .messages({ "string.pattern.base": "{{#label}} must be a kind and an id, like dead_letter:17" }),
});
