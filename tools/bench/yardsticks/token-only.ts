import { createExpress, serve } from "./fast-express.ts";
import { tokenCheck } from "./token-check.ts";
import { readWiring } from "./wiring.ts";

/** An Express route that checks the token and answers: the least that a refusal to a signed-in buyer costs. */
const { port, jwtSecret } = readWiring();
const app = createExpress();
app.get("/readyz", (_req, res) => void res.end());
app.post("/api/orders", tokenCheck(jwtSecret), (_req, res) => {
  res.status(409).json({ success: false, code: "sold_out" });
});
serve(app, port);
