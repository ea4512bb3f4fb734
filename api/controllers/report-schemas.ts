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
const period = { from: moment, to: moment };

type Format = { readonly format?: "json" | "csv" };
const format = Joi.string().valid("json", "csv");

type Period = Pick<ReportWish, "from" | "to">;

export const settlementsQuery = Joi.object<IdPageQuery & Format & ReportWish>({
  ...{ limit, cursor: idCursor, format, ...period, userId: idText, productId: idText },
});
export const settlementsOfUserQuery = Joi.object<
  IdPageQuery & Format & Period & Pick<ReportWish, "productId">
>({
  ...{ limit, cursor: idCursor, format, ...period, productId: idText },
});
export const settlementsOfProductQuery = Joi.object<
  IdPageQuery & Format & Period & Pick<ReportWish, "userId">
>({
  ...{ limit, cursor: idCursor, format, ...period, userId: idText },
});
export const reportWish = Joi.object<ReportWish>({ ...period, userId: idText, productId: idText });
export const exportQuery = reportWish.append<ReportWish & { readonly format?: "csv" }>({
  format: Joi.string().valid("csv"),
});
export const dailyQuery = reportWish.append<ReportWish & Format>({ format });
export const exportPath = Joi.object<{ readonly id: string }>({
  id: Joi.string()
    .pattern(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
    .required()
    .messages({ "string.pattern.base": "{{#label}} must be an export's id" }),
});
