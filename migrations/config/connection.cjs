"use strict";
const { readFileSync } = require("node:fs");

const setting = (name) => {
  const file = process.env[`${name}_FILE`];
  if (file && process.env[name]) throw new Error(`${name} and ${name}_FILE are both set: set one of them`);
  const value = process.env[name] || (file && readFileSync(file, "utf8").replace(/\r?\n$/, ""));
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

const connection = {
  dialect: "mysql",
  host: setting("MYSQL_HOST"),
  port: Number(process.env.MYSQL_PORT ?? 3306),
  username: setting("MYSQL_USER"),
  password: setting("MYSQL_PASSWORD"),
  database: setting("MYSQL_DATABASE"),
  timezone: "+00:00",
  migrationStorageTableName: "schema_migrations",
  dialectOptions: {
    charset: "utf8mb4",
    ...(process.env.MYSQL_TLS === "on" && { ssl: { minVersion: "TLSv1.2", verifyIdentity: true } }),
  },
};

// sequelize-cli picks the entry of NODE_ENV; every environment has the same one.
module.exports = { development: connection, test: connection, production: connection };
