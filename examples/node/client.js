// The services of the contract as promises, with a deadline on every call and refusals as errors that name reason and fields.
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import protobuf from "protobufjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const protos = path.resolve(here, "../../proto");
const googleProtos = path.dirname(createRequire(import.meta.url).resolve("google-proto-files/package.json"));
const SERVICES = ["scoring", "portfolio", "capacity", "ranking", "model", "event", "worklist"];
const DEADLINE_MS = 60_000;

const definition = protoLoader.loadSync(
  SERVICES.map((name) => `collections_opt/api/v1/${name}_service.proto`),
  { includeDirs: [protos, googleProtos], keepCase: true, longs: String, enums: String, defaults: true, oneofs: true },
);
const api = grpc.loadPackageDefinition(definition).collections_opt.api.v1;

const details = new protobuf.Root();
details.resolvePath = (_origin, target) => path.join(googleProtos, target);
details.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"]);

/** Connect to a server; without credentials in plaintext, which the server accepts on loopback only. */
export function connect(address, credentials = grpc.credentials.createInsecure()) {
  const client = (name) => new api[name](address, credentials);
  return {
    scoring: client("ScoringService"),
    portfolios: client("PortfolioService"),
    capacity: client("CapacityService"),
    rankings: client("RankingService"),
    models: client("ModelService"),
    events: client("EventService"),
    worklists: client("WorklistService"),
  };
}

/** Call a unary method. */
export function call(service, method, request) {
  return new Promise((resolve, reject) => {
    service[method](request, deadline(), (error, answer) => (error ? reject(refusal(error)) : resolve(answer)));
  });
}

/** Send a stream of messages and return the one answer. */
export function send(service, method, messages) {
  return new Promise((resolve, reject) => {
    const stream = service[method](deadline(), (error, answer) => (error ? reject(refusal(error)) : resolve(answer)));
    for (const message of messages) stream.write(message);
    stream.end();
  });
}

/** Yield the messages of a stream of answers. */
export async function* receive(service, method, request) {
  try {
    yield* service[method](request, deadline());
  } catch (error) {
    throw refusal(error);
  }
}

function deadline() {
  return { deadline: Date.now() + DEADLINE_MS };
}

/** Return an error that says why: the ErrorInfo's reason and the fields of BadRequest (google.rpc.Status in the trailers). */
function refusal(error) {
  const [raw] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!raw) return error;
  const status = details.lookupType("google.rpc.Status").decode(raw);
  const result = new Error(error.details);
  for (const { type_url, value } of status.details) {
    const detail = details.lookupType(type_url.split("/").pop()).decode(value);
    if (detail.reason) result.reason = detail.reason;
    if (detail.fieldViolations) result.fields = detail.fieldViolations.map((violation) => violation.field);
  }
  return result;
}
