import Joi from "joi";

export interface RightsSettings {
  readonly MYSQL_API_USER: string;
  readonly MYSQL_WORKER_USER: string;
}

/** The programs' accounts in the database, whose passwords only the programs need. */
export const rightsSettings = {
  MYSQL_API_USER: Joi.string().required(),
  MYSQL_WORKER_USER: Joi.string().required(),
};
