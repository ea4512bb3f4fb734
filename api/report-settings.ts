import Joi from "joi";
import { isTimeZone } from "../shared/domain/time-zone.ts";

export interface ReportSettings {
  /** IANA name. */
  readonly REPORT_TIME_ZONE: string;
}

/** Also of `npm run report`. */
export const reportSettings = {
  REPORT_TIME_ZONE: Joi.string()
    .custom((name: string, helpers) => (isTimeZone(name) ? name : helpers.error("zone.unknown")))
    .default("UTC")
    .messages({ "zone.unknown": "REPORT_TIME_ZONE must be the name of a time zone, like Asia/Seoul" }),
};
