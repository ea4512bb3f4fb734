import Joi from "joi";
import type { Moment, ReportWish } from "../../shared/domain/report.ts";
import { idCursor, idText, instantText, limit, type IdPageQuery } from "./schemas.ts";

/** What requests for settlements and reports of them are held against. */

const DAY = /^\d{4}-\d\d-\d\d$/;

/** A day is a day of the reports' time zone, and stays a text until that is known. */
const moment = Joi.string()
  .custom((text: string, helpers): Moment | Joi.ErrorReport => {
    const isDay = DAY.test(text);
    const result = instantText.validate(
      isDay ? `${text}T00:00:00.000Z` : text,
    ) as Joi.ValidationResult<number>;
    if (result.error) return helpers.error(result.error.details[0]?.type ?? "instant.format");
    return isDay ? text : result.value;
  })
  .messages({
    "instant.format":
      "{{#label}} must be a day, like 2027-01-31, or an ISO 8601 instant in UTC, like 2027-01-01T09:00:00.000Z",
    "instant.range": "{{#label}} must be between the years 2000 and 9999",
  });
const period = {
  from: moment.description(
    "From this instant (ISO 8601, UTC), or from the beginning of this day of REPORT_TIME_ZONE (2027-01-31).",
  ),
  to: moment.description("Before this instant, or before the beginning of this day."),
};
const scope = {
  userId: idText.description("Only settlements of this user; for a user only the own id."),
  productId: idText.description("Only settlements of this product."),
};

type Format = { readonly format?: "json" | "csv" };
const format = Joi.string()
  .valid("json", "csv")
  .description("csv: a file (RFC 4180); json. Without it, what Accept prefers.");

type Period = Pick<ReportWish, "from" | "to">;

export const settlementsQuery = Joi.object<IdPageQuery & Format & ReportWish>({
  ...{ limit, cursor: idCursor, format, ...period, ...scope },
});
export const settlementsOfUserQuery = Joi.object<
  IdPageQuery & Format & Period & Pick<ReportWish, "productId">
>({
  ...{ limit, cursor: idCursor, format, ...period, productId: scope.productId },
});
export const settlementsOfProductQuery = Joi.object<
  IdPageQuery & Format & Period & Pick<ReportWish, "userId">
>({
  ...{ limit, cursor: idCursor, format, ...period, userId: scope.userId },
});
export const reportWish = Joi.object<ReportWish>({ ...period, ...scope });
export const exportQuery = reportWish.append<ReportWish & { readonly format?: "csv" }>({
  format: Joi.string().valid("csv").description("There is no other."),
});
export const dailyQuery = reportWish.append<ReportWish & Format>({ format });
export const exportPath = Joi.object<{ readonly id: string }>({
  id: Joi.string()
    .pattern(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
    .required()
    .example("019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b71")
    .messages({ "string.pattern.base": "{{#label}} must be an export's id" }),
});
