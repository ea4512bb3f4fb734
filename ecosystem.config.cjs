// `npm run build && npx pm2 start ecosystem.config.cjs`: the API on every core, and the worker.
//
// Settings come from the environment that pm2 is started in (.env.example lists them). A file of them is read by Node.js,
// not by FlashPay:
//   node --env-file=.env node_modules/pm2/bin/pm2 start ecosystem.config.cjs
// pm2 remembers them; after a change: … pm2 reload ecosystem.config.cjs --update-env.
// API_INSTANCES says how many API processes run, one a core when it is not set.

/** A program ends within 10 s of its signal (shared/lifecycle.ts); a kill before that would cut orders off. */
const KILL_TIMEOUT_MS = 12_000;
/** An API that is not ready by then is counted as started all the same, and `pm2 reload` would stop the old one. */
const LISTEN_TIMEOUT_MS = 60_000;
/** A program refuses to run while a server is away. It is tried again for ever, at most every 15 s; never given up. */
const BACKOFF_FIRST_MS = 100;

// Each program has its own account in MySQL where MYSQL_API_USER and MYSQL_WORKER_USER are set, with MYSQL_…_PASSWORD or
// MYSQL_…_PASSWORD_FILE (docs/deployment.md says what rights they need: npm run db:rights).
const account = (name) => {
  const setting = (what) => process.env[`MYSQL_${name}_${what}`];
  if (!setting("USER")) return {};
  return {
    MYSQL_USER: setting("USER"),
    MYSQL_PASSWORD: setting("PASSWORD") ?? "",
    MYSQL_PASSWORD_FILE: setting("PASSWORD_FILE") ?? "",
  };
};

const env = { NODE_ENV: "production" };

const program = {
  cwd: __dirname,
  kill_timeout: KILL_TIMEOUT_MS,
  exp_backoff_restart_delay: BACKOFF_FIRST_MS,
  merge_logs: true,
  watch: false,
  vizion: false,
};

module.exports = {
  apps: [
    {
      ...program,
      name: "flashpay-api",
      env: { ...env, ...account("API") },
      script: "dist/api/main.js",
      exec_mode: "cluster",
      instances: process.env.API_INSTANCES || "max",
      // The new process says "ready" once it takes orders; only then is the old one told to stop.
      wait_ready: true,
      listen_timeout: LISTEN_TIMEOUT_MS,
    },
    {
      ...program,
      name: "flashpay-worker",
      env: { ...env, ...account("WORKER") },
      script: "dist/worker/main.js",
      exec_mode: "fork",
      instances: 1,
    },
  ],
};
