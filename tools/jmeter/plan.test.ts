import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { REPOSITORY } from "../stack/home.ts";
import { isUsable } from "./install.ts";
import { planProperties } from "./load.ts";

describe("the JMeter plan", () => {
  const plan = readFileSync(join(REPOSITORY, "jmeter/flash-sale.jmx"), "utf8");
  const asked = [...plan.matchAll(/\$\{__P\((\w+),/g)].map(([, name = ""]) => name);

  it("asks for every property that the command gives, and has a default for each", () => {
    const options = { rate: 500, duration: 60, users: 30_000, threads: 200 };
    const given = planProperties("http://127.0.0.1:3000", 7, "/tmp/users.csv", options);
    const names = given.map((argument) => /^-J(\w+)=/.exec(argument)?.[1] ?? argument);
    expect(names).to.include.members(["host", "port", "rate", "duration", "users", "productId", "csv"]);
    expect(asked).to.include.members(names);
    expect(plan).not.to.match(/\$\{__P\(\w+\)\}/);
  });

  it("believes the body, never the code alone", () => {
    expect(plan).to.contain('<stringProp name="pending">"status":"PENDING"</stringProp>');
    const fields = [...plan.matchAll(/"Assertion\.test_field">([^<]+)</g)].map(([, field]) => field);
    expect(fields).not.to.be.empty;
    expect(new Set(fields)).to.deep.equal(new Set(["Assertion.response_data"]));
    expect(plan).to.match(/"Assertion\.assume_success">false</);
  });

  it("gives each order a buyer and a key of its own", () => {
    expect(plan).to.match(/Idempotency-Key<\/stringProp>\s*<stringProp name="Header.value">\$\{__UUID\}</);
    expect(plan).to.contain("Bearer ${token}");
    expect(plan).to.contain('<boolProp name="recycle">false</boolProp>');
    expect(plan).to.contain('<boolProp name="stopThread">true</boolProp>');
    expect(plan).to.contain("shareMode.all");
  });

  it("sets the rate of arrivals, whatever the answers take", () => {
    expect(plan).to.match(/<PreciseThroughputTimer [^>]*>\s*<stringProp name="throughput">\$\{__P\(rate,/);
    expect(plan).to.contain('<intProp name="throughputPeriod">1</intProp>');
  });

  it("needs no plugin: every element is one of JMeter's own", () => {
    const own = new Set(
      (
        "jmeterTestPlan hashTree TestPlan ConfigTestElement ThreadGroup CSVDataSet ThroughputController " +
        "PreciseThroughputTimer HTTPSamplerProxy HeaderManager RegexExtractor ResponseAssertion elementProp " +
        "collectionProp stringProp intProp boolProp doubleProp name value savedValue"
      ).split(" "),
    );
    const markup = plan.replaceAll(/<!--[\s\S]*?-->/g, "");
    const used = [...markup.matchAll(/<([A-Za-z]\w*)/g)].map(([, element = ""]) => element);
    expect(used.filter((element) => !own.has(element))).to.deep.equal([]);
  });
});

describe("a jmeter on the PATH", () => {
  it("is used from 5.6 on, and before 6", () => {
    expect(["5.6", "5.6.3", "5.10"].map(isUsable)).to.deep.equal([true, true, true]);
    expect(["2.13", "5.5", "6.0", "0"].map(isUsable)).to.deep.equal([false, false, false, false]);
  });
});
