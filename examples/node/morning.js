// One morning over the API: import accounts, rank them, and print every queue's worklist.
//
//     node morning.js 127.0.0.1:50051
import { randomUUID } from "node:crypto";

import { call, connect, receive, send } from "./client.js";

const address = process.argv[2] ?? "127.0.0.1:50051";
const client = connect(address);
const day = { year: 2026, month: 11, day: 24 };
const lender = { as_of_date: day, time_zone: "Asia/Taipei", currency_code: "TWD" };

const ids = ["N-1", "N-2", "N-3"];
const columns = [
  { name: "account_id", text: { values: ids } },
  { name: "product", text: { values: ids.map(() => "CREDIT_CARD") } },
  { name: "state", text: { values: ids.map(() => "TW") } },
  { name: "balance_minor_units", integers: { values: [9_000_000, 2_500_000, 400_000] } },
  { name: "arrears_minor_units", integers: { values: [900_000, 250_000, 40_000] } },
  { name: "days_past_due", integers: { values: [45, 62, 35] } },
  { name: "cease", flags: { values: [false, false, true] } },
];

const { portfolio } = await send(client.portfolios, "ImportPortfolio", [
  { header: { portfolio_id: "node-example", row_count: ids.length, ...lender } },
  { chunk: { row_count: ids.length, columns } },
]);
console.log(`${portfolio.accepted_count} of ${portfolio.row_count} accounts accepted`);

const { ranking: started } = await call(client.rankings, "CreateRanking", {
  request_id: randomUUID(),
  portfolio_id: "node-example",
  capacity_plan_id: "credit-card-desk",
  ordering: "ORDERING_EXPECTED_VALUE",
});

let ranking = started;
for await (const message of receive(client.rankings, "WatchRanking", { ranking_id: started.ranking_id })) ranking = message.ranking;
if (ranking.state !== "RANKING_STATE_SUCCEEDED") throw new Error(`the ranking ended as ${ranking.state}`);
const { objective_minor_units, gap } = ranking.quality;
console.log(`${ranking.counts.assigned_count} worked for ${objective_minor_units} minor units, proven gap ${gap}`);

for (const { queue_id } of ranking.queues) {
  const { entries } = await call(client.rankings, "ListWorklist", { ranking_id: ranking.ranking_id, queue_id });
  for (const entry of entries) console.log(`${queue_id} ${entry.priority}. ${entry.account_id} +${entry.increment_minor_units}`);
}

const explained = await call(client.rankings, "ExplainAssignment", { ranking_id: ranking.ranking_id, account_id: "N-3" });
console.log(`N-3: ${explained.sentence}`);

try {
  await call(client.rankings, "ListWorklist", { ranking_id: ranking.ranking_id, queue_id: "no-such-queue" });
} catch (error) {
  console.log(`refused: ${error.reason} at ${error.fields}`);
}
