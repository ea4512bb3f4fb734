import { Partitioners, type ICustomPartitioner } from "kafkajs";

/**
 * Messages with a turn (`partition`, any whole number) go to the partition whose turn it is, of those that have a leader;
 * all others by their key. One request's orders share a turn: a record batch in one partition costs the broker, and who
 * reads it, far less than a few records in each. Nothing relies on where an order is (docs/decisions/0014).
 */
export const byTurn: ICustomPartitioner = () => {
  const byKey = Partitioners.DefaultPartitioner();
  return (wanted) => {
    const { message, partitionMetadata } = wanted;
    if (message.partition === undefined) return byKey(wanted);
    const led = partitionMetadata.filter(({ leader }) => leader >= 0);
    const serving = led.length > 0 ? led : partitionMetadata;
    return serving[message.partition % serving.length]?.partitionId ?? 0;
  };
};
