import { expect } from "chai";
import { securityOf } from "./client.ts";

describe("the connection to Kafka", () => {
  it("is in clear and without an account where no setting says otherwise", () => {
    expect(securityOf({})).to.deep.equal({});
    expect(securityOf({ KAFKA_TLS: "off", KAFKA_SASL_MECHANISM: "scram-sha-512" })).to.deep.equal({});
  });

  it("is by TLS that trusts no certificate but a valid one, and by the account, where the settings say so", () => {
    const account = { KAFKA_SASL_USERNAME: "flashpay", KAFKA_SASL_PASSWORD: "pw" };
    const { ssl, sasl } = securityOf({ KAFKA_TLS: "on", KAFKA_SASL_MECHANISM: "scram-sha-256", ...account });
    expect(ssl).to.deep.equal({ minVersion: "TLSv1.2" });
    expect(sasl).to.deep.equal({ mechanism: "scram-sha-256", username: "flashpay", password: "pw" });
    expect(securityOf(account).sasl).to.include({ mechanism: "scram-sha-512" });
  });
});
