import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Kafka, logLevel } from "kafkajs";

/**
 * Stands in for Kafka's own kafka-consumer-groups.sh, which does not come with the broker's jars: --describe prints what that one
 * prints, --reset-offsets takes the file it takes, and refuses, as that one does, while somebody is in the group.
 */
const { values } = parseArgs({
  options: {
    "bootstrap-server": { type: "string", default: "" },
    group: { type: "string", default: "" },
    describe: { type: "boolean", default: false },
    "reset-offsets": { type: "boolean", default: false },
    "from-file": { type: "string", default: "" },
    execute: { type: "boolean", default: false },
  },
});
const groupId = values.group;
const brokers = values["bootstrap-server"].split(",");
const admin = new Kafka({ clientId: "consumer-groups", brokers, logLevel: logLevel.NOTHING }).admin();
await admin.connect();
try {
  if (values.describe) await describeGroup();
  if (values["reset-offsets"] && values.execute) await resetOffsets(values["from-file"]);
} finally {
  await admin.disconnect();
}

async function describeGroup(): Promise<void> {
  say("\nGROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID");
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId })) {
    const ends = new Map((await admin.fetchTopicOffsets(topic)).map((end) => [end.partition, end.high]));
    for (const { partition, offset } of partitions)
      say([groupId, topic, partition, offset === "-1" ? "-" : offset, ends.get(partition), "-"].join(" "));
  }
}

async function resetOffsets(file: string): Promise<void> {
  const { groups } = await admin.describeGroups([groupId]);
  if (!groups.every(({ state }) => state === "Empty" || state === "Dead"))
    throw new Error("Assignments can only be reset if the group is inactive.");
  const rows = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  for (const topic of new Set(rows.map(([name = ""]) => name))) {
    const partitions = rows
      .filter(([name]) => name === topic)
      .map(([, partition, offset = "0"]) => ({ partition: Number(partition), offset }));
    await admin.setOffsets({ groupId, topic, partitions });
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
