import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import Joi from "joi";
import { controlSheetBody } from "../api/controllers/present.ts";
import { reportSettings, type ReportSettings } from "../api/report-settings.ts";
import { createSettlementSnapshots } from "../api/repositories/settlement-snapshots.ts";
import { dailyCsv } from "../api/services/settlement-csv.ts";
import { exportSettlements, NotReconciled } from "../api/services/settlement-export.ts";
import { loadConfig, StartRefused } from "../shared/config.ts";
import { DomainError } from "../shared/domain/errors.ts";
import type { SettlementSnapshot } from "../shared/domain/ports.ts";
import { filterOf, summaryPeriod, SUMMARY_ROWS_MAX, tooManyRows } from "../shared/domain/report.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { reach, startProgram } from "../shared/start.ts";
import { HELP, readOptions, type Options } from "./report/options.ts";
import { refuseExisting, writeWhole } from "./report/whole-file.ts";
import { toolMysqlSettings } from "./settings.ts";
import { createProgress } from "./verify/progress.ts";

/** For one sum over all settlements. */
const STATEMENT_TIMEOUT_MS = 300_000;
/** One reads, the other ends what the first one reads. */
const CONNECTIONS = 2;

await startProgram(() => main(readOptions(process.argv.slice(2))).catch(inOneSentence));

async function main(options: Options): Promise<void> {
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const { REPORT_TIME_ZONE: timeZone } = loadConfig(Joi.object<ReportSettings>(reportSettings), process.env);
  const sequelize = createSequelize(
    { ...toolMysqlSettings(), MYSQL_POOL_MAX: CONNECTIONS },
    STATEMENT_TIMEOUT_MS,
  );
  try {
    await reach("MYSQL_HOST", "MySQL", () => sequelize.authenticate());
    const snapshot = await createSettlementSnapshots(sequelize).open(stopWish());
    try {
      await (options.daily ? writeDaily : writeExport)(snapshot, options, timeZone);
    } finally {
      await snapshot.close();
    }
  } finally {
    await sequelize.close();
  }
}

async function writeExport(
  snapshot: SettlementSnapshot,
  { wish, out }: Options,
  timeZone: string,
): Promise<void> {
  const file = resolve(out);
  const sheetFile = `${file}.control.json`;
  await refuseExisting(file, sheetFile);
  const filter = filterOf(wish, timeZone);
  let progress: ReturnType<typeof createProgress> | undefined;
  const onRows = (done: number, total: number): void => {
    progress ??= createProgress(total, process.stderr.isTTY);
    progress.at(done, `${done} of ${total} settlements`);
  };
  const pieces = exportSettlements(snapshot, { exportId: randomUUID(), takenAt: Date.now(), filter, onRows });
  try {
    const sheet = await writeWhole(file, withSheet(pieces, sheetFile));
    progress?.stop();
    const sums = sheet.totals.map(({ currency, count, amount }) => `${currency} ${amount} (${count})`);
    console.log(
      `${file}: ${sheet.count} settlements; ${sums.join(", ") || "nothing"}; SHA-256 ${sheet.sha256}`,
    );
  } finally {
    progress?.stop();
  }
}

/** The sheet is there before the file gets its name: no file is without one. */
async function* withSheet(
  pieces: ReturnType<typeof exportSettlements>,
  sheetFile: string,
): ReturnType<typeof exportSettlements> {
  const sheet = yield* pieces;
  await writeWhole(sheetFile, once(`${JSON.stringify(controlSheetBody(sheet), null, 2)}\n`));
  return sheet;
}

async function writeDaily(
  snapshot: SettlementSnapshot,
  { wish, out }: Options,
  timeZone: string,
): Promise<void> {
  const file = resolve(out);
  await refuseExisting(file);
  const days = await snapshot.daily(summaryPeriod(wish, timeZone, Date.now()));
  if (days.length > SUMMARY_ROWS_MAX) throw tooManyRows();
  await writeWhole(file, once(dailyCsv(days)));
  console.log(`${file}: ${days.length} rows, days of ${timeZone}`);
}

async function* once(text: string): AsyncGenerator<Buffer, void> {
  yield await Promise.resolve(Buffer.from(text));
}

function stopWish(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      stop.abort(new StartRefused("Stopped: there is no report."));
    });
  return stop.signal;
}

function inOneSentence(error: unknown): never {
  if (error instanceof NotReconciled) throw new StartRefused(error.message);
  if (!(error instanceof DomainError)) throw error;
  const [detail] = error.details.errors ?? [];
  const flag = detail?.pointer.replace("#/query/", "--");
  throw new StartRefused(detail ? `${String(flag)}: ${detail.detail}.` : error.message);
}
