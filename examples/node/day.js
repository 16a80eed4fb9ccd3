// The platform's day over the API: lease the best account, call, complete, hear of a payment, and lease the next.
//
//     node day.js 127.0.0.1:50051
import { randomUUID } from "node:crypto";

import { call, connect, receive, send } from "./client.js";

const client = connect(process.argv[2] ?? "127.0.0.1:50051");

// A desk for which it is noon now, whenever this runs: calls are lawful, and the ranking is of the desk's day.
const hours = 12 - new Date().getUTCHours();
const time_zone = hours === 0 ? "Etc/GMT" : `Etc/GMT${hours > 0 ? "-" : "+"}${Math.abs(hours)}`;
const noon = new Date(Date.now() + hours * 3_600_000);
const as_of_date = { year: noon.getUTCFullYear(), month: noon.getUTCMonth() + 1, day: noon.getUTCDate() };
const now = () => ({ seconds: Math.floor(Date.now() / 1_000), nanos: 0 });

const ids = ["D-1", "D-2", "D-3"];
const zeros = { integers: { values: ids.map(() => 0) } };
const portfolio_id = `node-day-${randomUUID()}`;
await send(client.portfolios, "ImportPortfolio", [
  { header: { portfolio_id, row_count: ids.length, as_of_date, time_zone, currency_code: "TWD" } },
  {
    chunk: {
      row_count: ids.length,
      columns: [
        { name: "account_id", text: { values: ids } },
        { name: "product", text: { values: ids.map(() => "CREDIT_CARD") } },
        { name: "state", text: { values: ids.map(() => "SG") } },
        { name: "balance_minor_units", integers: { values: [9_000_000, 2_500_000, 1_400_000] } },
        { name: "arrears_minor_units", integers: { values: [900_000, 250_000, 140_000] } },
        { name: "days_past_due", integers: { values: [45, 62, 65] } },
        { name: "calls_last_7_days_count", ...zeros },
        { name: "attempts_last_7_days_count", ...zeros },
      ],
    },
  },
]);
const asked = { request_id: randomUUID(), portfolio_id, capacity_plan_id: "credit-card-desk", ordering: "ORDERING_EXPECTED_VALUE" };
const { ranking: started } = await call(client.rankings, "CreateRanking", asked);
let ranking = started;
for await (const message of receive(client.rankings, "WatchRanking", { ranking_id: started.ranking_id })) ranking = message.ranking;
const { ranking_id } = ranking;

let queue_id = "";
for (const queue of ranking.queues) {
  const { entries } = await call(client.rankings, "ListWorklist", { ranking_id, queue_id: queue.queue_id });
  if (entries.length > 1) queue_id = queue.queue_id;
}

const holder = "desk-7";
const lease = async () => {
  const request = { request_id: randomUUID(), ranking_id, queue_id, holder, holder_kind: "HOLDER_KIND_PERSON" };
  const answer = await call(client.worklists, "LeaseAccounts", { ...request, max_account_count: 1, lease_seconds: 300 });
  return answer.leases[0];
};

const first = await lease();
console.log(`leased ${first.account_id}, ${first.attempts_left_count} attempts left`);

const contact = { channel: "CHANNEL_CALL", direction: "CONTACT_DIRECTION_OUTBOUND", result: "CONTACT_RESULT_RIGHT_PARTY" };
const called = { event_id: randomUUID(), account_id: first.account_id, occur_time: now() };
const { state } = await call(client.worklists, "CompleteLease", {
  lease_id: first.lease_id,
  holder,
  events: [{ ...called, contact: { ...contact, queue_id, handling_seconds: 240, lease_id: first.lease_id } }],
});
console.log(`called ${first.account_id}: ${state}`);

const { accounts } = await call(client.worklists, "ListNextAccounts", { ranking_id, queue_id });
const paid = accounts[0].account_id;
const payment = { event_id: randomUUID(), account_id: paid, occur_time: now(), payment: { amount_minor_units: 10_000 } };
await call(client.events, "RecordEvents", { events: [payment] });
const after = await call(client.worklists, "ListNextAccounts", { ranking_id, queue_id, include_removed: true });
for (const one of after.accounts) console.log(`${one.position}. ${one.account_id} ${one.removed === "REMOVAL_REASON_UNSPECIFIED" ? "to work" : one.removed}`);

const next = await lease();
console.log(next ? `next: ${next.account_id}` : "next: nobody is left to work");
